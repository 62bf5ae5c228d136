"""Classes of questions that have none of their own: seeded k-means of embedded questions and answers, as in FeDeRA.

A run keeps its labels in a file, since another machine's arithmetic may move a question between clusters.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.durable import replace_whole
from harness.errors import UsageError
from harness.learning.data.examples import QuestionExample
from harness.learning.data.model_source import BASE_FILES, Pretrained, find_model
from harness.learning.data.tokenizer import tokenizer_identity
from harness.learning.seeding import profile_seed
from harness.profiles import ClassesProfile, ModelProfile

Embeddings = NDArray[np.float32]
Report = Callable[[str], None]

_STARTS = 4
_COMPONENTS = 100
_WORDS = r"\w+|[^\w\s]+"  # a question of signs alone has words too


def cluster(
    examples: Sequence[QuestionExample],
    profile: ClassesProfile,
    seed: int,
    models: Path | None,
    workdir: Path,
    report: Report,
) -> list[int]:
    """The cluster of each example, 0 the largest; or what an earlier call with the same arguments left in ``workdir``.

    What is embedded is the question and its first answer: by the encoder that ``profile`` names, or by TF-IDF of one
    and two words, reduced to 100 dimensions. ``seed`` is the profile's.

    Raises:
        UsageError: there are fewer different questions than clusters, or the model is not there.
    """
    texts = [f"{example.question} {example.answers[0] if example.answers else ''}".strip() for example in examples]
    if len(set(texts)) < profile.clusters:
        raise _too_few(f"{len(set(texts))} different questions", profile.clusters)
    model = None if profile.embedding is None else _model(profile.embedding, models, workdir / "embedding")
    kept = workdir / f"clusters-{_identity(texts, model, profile.clusters, seed)[:32]}.json"
    if kept.is_file():
        return msgspec.json.decode(kept.read_bytes(), type=list[int])
    report(f"embedding {len(texts):,} questions for {profile.clusters} clusters")
    drawn = profile_seed("classes", seed)
    labels = by_size(_k_means(_embedded(texts, model, drawn, report), profile.clusters, drawn))
    workdir.mkdir(parents=True, exist_ok=True)
    replace_whole(kept, msgspec.json.encode(labels))
    return labels


def _model(embedding: ModelProfile, models: Path | None, workdir: Path) -> Pretrained:
    try:
        return find_model(embedding, models, workdir)
    except UsageError as error:
        raise UsageError(
            f"the classes' embedding: {error}; or embed without a model: --set dataset.classes.embedding=null"
        ) from None


def by_size(labels: Sequence[int] | NDArray[np.int32]) -> list[int]:
    """Labels counted anew from the largest cluster to the smallest; of equal ones the one that occurs first leads."""
    names, firsts, places, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(names), dtype=np.int64)
    rank[np.lexsort((firsts, -sizes))] = np.arange(len(names))
    ranked: list[int] = rank[places].tolist()
    return ranked


def _embedded(texts: Sequence[str], model: Pretrained | None, seed: int, report: Report) -> Embeddings:
    """Rows of length 1, [texts, dimensions]."""
    if model is None:
        return _tf_idf(texts, seed)
    from harness.learning.data.embedding import embed

    return embed(texts, model, report)


def _tf_idf(texts: Sequence[str], seed: int) -> Embeddings:
    """Weights of one and two words, reduced to the directions in which the texts differ most."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=_WORDS, dtype=np.float32)
    weights = words.fit_transform(texts)
    with _one_thread():
        svd = TruncatedSVD(min(_COMPONENTS, weights.shape[1]), random_state=seed)
        reduced: Embeddings = normalize(svd.fit_transform(weights))
    return reduced


def _k_means(points: Embeddings, clusters: int, seed: int) -> NDArray[np.int32]:
    """Lloyd's algorithm from k-means++ starts, the best of a few."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with _one_thread(), warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            labels: NDArray[np.int32] = KMeans(clusters, n_init=_STARTS, random_state=seed).fit_predict(points)
        except ConvergenceWarning:  # fewer different points than clusters
            raise _too_few(f"{len(points)} questions that are so alike", clusters) from None
    return labels


def _too_few(questions: str, clusters: int) -> UsageError:
    return UsageError(f"{questions} cannot make {clusters} clusters: set dataset.classes.clusters to fewer")


def _one_thread() -> AbstractContextManager[object]:
    """Sums of several threads come in any order, and with them other roundings and other clusters."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits


def _identity(texts: Sequence[str], model: Pretrained | None, clusters: int, seed: int) -> str:
    """SHA-256, hex, of all that the labels depend on."""
    digest = hashlib.sha256(msgspec.json.encode([clusters, seed, texts]))
    if model is not None:
        for name in BASE_FILES:
            digest.update(hashlib.sha256((model.base / name).read_bytes()).digest())
        digest.update(tokenizer_identity(model.tokenizer).encode())
    return digest.hexdigest()
