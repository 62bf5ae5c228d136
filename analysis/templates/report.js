"use strict";
(() => {
  const root = document.documentElement;
  const plots = [...document.querySelectorAll(".plot")];
  const drawn = new Set();
  const touch = matchMedia("(pointer: coarse)").matches;
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const config = { responsive: true, displayModeBar: false, displaylogo: false };
  const PRINTED_PX = 620, PRINTED_SMALL_PX = 290; // within the margins of A4 and Letter

  // ---- Colours. A probe resolves the page's variables to what the scheme makes of them.
  const probe = document.body.appendChild(document.createElement("i"));
  probe.hidden = true;
  const css = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };

  // The page's colours, as a flat update that Plotly.relayout understands.
  const theme = (layout) => {
    const [ink, soft, line, grid, panel] = ["--ink", "--soft", "--line", "--grid", "--panel"].map(css);
    const colours = {
      "paper_bgcolor": "rgba(0,0,0,0)",
      "plot_bgcolor": "rgba(0,0,0,0)",
      "font.color": ink,
      "hoverlabel.bgcolor": panel,
      "hoverlabel.bordercolor": line,
      "hoverlabel.font.color": ink,
    };
    for (const axis of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
      colours[`${axis}.gridcolor`] = grid;
      colours[`${axis}.linecolor`] = line;
      colours[`${axis}.tickcolor`] = line;
      colours[`${axis}.tickfont.color`] = soft;
      colours[`${axis}.title.font.color`] = soft;
    }
    return colours;
  };

  const put = (layout, path, value) => {
    const keys = path.split(".");
    const last = keys.pop();
    let here = layout;
    for (const key of keys) here = here[key] ??= {};
    here[last] = value;
  };

  // ---- What is hidden: of each kind, the names that a legend has switched off.
  const hidden = { method: new Set(), phase: new Set() };
  const buttons = [...document.querySelectorAll(".legend button")];
  const nameOf = (button) => button.dataset[button.dataset.kind];
  const tags = ({ meta }) => (typeof meta === "string" ? { method: meta } : (meta ?? {}));
  const isHidden = (trace) => Object.entries(hidden).some(([kind, names]) => names.has(tags(trace)[kind]));

  const hide = (plot) => {
    const changed = { shown: [], hidden: [] };
    plot.data.forEach((trace, place) => {
      const was = trace.visible === "legendonly";
      if (isHidden(trace) !== was) changed[was ? "shown" : "hidden"].push(place);
    });
    if (changed.shown.length) Plotly.restyle(plot, { visible: true }, changed.shown);
    if (changed.hidden.length) Plotly.restyle(plot, { visible: "legendonly" }, changed.hidden);
  };

  const follow = () => {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(!hidden[button.dataset.kind].has(nameOf(button))));
    }
    for (const figure of document.querySelectorAll("figure[data-of]")) {
      figure.hidden = hidden.method.has(figure.dataset.of);
    }
    for (const plot of drawn) hide(plot);
  };

  // One alone; all again where it is alone already.
  const isolate = (button) => {
    const { kind } = button.dataset;
    const others = new Set(buttons.filter((other) => other.dataset.kind === kind).map(nameOf));
    others.delete(nameOf(button));
    const alone = [...others].every((name) => hidden[kind].has(name)) && !hidden[kind].has(nameOf(button));
    hidden[kind] = alone ? new Set() : others;
    follow();
  };

  for (const button of buttons) {
    let before; // what was hidden before a click that turns out to be the first of two
    button.addEventListener("click", (event) => {
      const { kind } = button.dataset;
      if (event.shiftKey) return isolate(button);
      if (event.detail < 2) before = new Set(hidden[kind]);
      if (!hidden[kind].delete(nameOf(button))) hidden[kind].add(nameOf(button));
      follow();
    });
    button.addEventListener("dblclick", (event) => {
      if (event.shiftKey) return;
      hidden[button.dataset.kind] = before;
      isolate(button);
    });
  }

  // ---- Drawing.
  // A matrix travels in thousandths, a symmetric one without what stands left of its diagonal.
  const unpacked = (rows) =>
    rows.map((row, place) => {
      const missing = rows.slice(0, rows[0].length - row.length).map((above, at) => above[place - at]);
      return [...missing, ...row].map((value) => value / 1000);
    });

  // A long list of numbers that several figures have stands in the first of them; the others name it.
  const read = new Map();
  const figureOf = (holder) => {
    if (!read.has(holder)) read.set(holder, JSON.parse(holder.querySelector("script").textContent));
    return read.get(holder);
  };
  const inPlace = (trace) => {
    for (const axis of ["x", "y"]) {
      if (!trace[axis]?.of) continue;
      const [name, at, its] = trace[axis].of;
      trace[axis] = figureOf(document.getElementById(name)).data[at][its];
    }
  };

  const draw = (plot) => {
    const figure = figureOf(plot.parentElement);
    const layout = figure.layout;
    for (const trace of figure.data) {
      inPlace(trace);
      if (trace.meta?.thousandths) trace.z = unpacked(trace.meta.thousandths);
      if (isHidden(trace)) trace.visible = "legendonly";
    }
    layout.font = { family: getComputedStyle(document.body).fontFamily, size: 12 };
    layout.dragmode = touch ? false : "zoom"; // a finger on a plot scrolls the page
    for (const [path, value] of Object.entries(theme(layout))) put(layout, path, value);
    Plotly.newPlot(plot, figure.data, layout, config);
    drawn.add(plot);
  };

  // What is folded away has no size: it is drawn once it is opened.
  for (const plot of plots) if (!plot.closest("details:not([open])")) draw(plot);
  for (const details of document.querySelectorAll("main details")) {
    details.addEventListener("toggle", () => {
      for (const plot of details.querySelectorAll(".plot")) {
        if (details.open && !drawn.has(plot)) draw(plot);
      }
    });
  }

  // ---- Light, dark and paper.
  const button = document.querySelector(".theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : scheme.matches);
  const repaint = () => {
    button.setAttribute("aria-pressed", String(isDark()));
    for (const plot of drawn) Plotly.relayout(plot, theme(plot.layout));
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    repaint();
  });
  scheme.addEventListener("change", repaint);
  button.setAttribute("aria-pressed", String(isDark()));

  // Plots have the size of the window: paper needs its own, and ink on white.
  const sizes = new Map();
  let chosen;
  const ontoPaper = () => {
    if (sizes.size) return;
    chosen = root.dataset.theme;
    root.dataset.theme = "light";
    for (const plot of drawn) {
      const square = plot.classList.contains("square");
      const width = plot.closest(".small") ? PRINTED_SMALL_PX : PRINTED_PX;
      const size = square ? { width: Math.min(width, 420), height: Math.min(width, 420) } : { width };
      sizes.set(plot, { width: null, height: plot.layout.height ?? null, autosize: true });
      Plotly.relayout(plot, { ...theme(plot.layout), ...size, autosize: false });
    }
  };
  const backToScreen = () => {
    if (!sizes.size) return;
    if (chosen) root.dataset.theme = chosen;
    else delete root.dataset.theme;
    for (const [plot, size] of sizes) Plotly.relayout(plot, { ...theme(plot.layout), ...size });
    sizes.clear();
  };
  addEventListener("beforeprint", ontoPaper);
  addEventListener("afterprint", backToScreen);
  matchMedia("print").addEventListener("change", ({ matches }) => (matches ? ontoPaper() : backToScreen()));

  // ---- Contents: beside the page, or folded above it; the section that is read is marked.
  const contents = document.querySelector(".contents");
  const narrow = matchMedia("(max-width: 1080px)");
  const fold = () => (contents.open = !narrow.matches);
  narrow.addEventListener("change", fold);
  fold();
  const links = [...contents.querySelectorAll(":scope > ol > li > a")];
  const sections = links.map((link) => document.getElementById(link.hash.slice(1)));
  const markCurrent = () => {
    const atEnd = innerHeight + scrollY >= root.scrollHeight - 2 && scrollY > 0;
    const reached = sections.filter((section) => section.getBoundingClientRect().top < innerHeight / 4);
    const current = atEnd ? sections.at(-1) : (reached.at(-1) ?? sections[0]);
    links.forEach((link, place) => {
      if (sections[place] === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  addEventListener("scroll", () => requestAnimationFrame(markCurrent), { passive: true });
  markCurrent();
  contents.addEventListener("click", (event) => {
    if (narrow.matches && event.target.closest("a")) contents.open = false;
  });
})();
