"""From facts to findings. Pure: every threshold of the doctor stands here."""
