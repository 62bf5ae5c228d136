"use strict";
(() => {
  const plots = [...document.querySelectorAll(".plot")];
  const touch = matchMedia("(pointer: coarse)").matches;
  const config = { responsive: true, displayModeBar: false, displaylogo: false };
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // The page's colours, as a flat update that Plotly.relayout understands.
  const theme = () => {
    const colours = {
      "paper_bgcolor": "rgba(0,0,0,0)",
      "plot_bgcolor": "rgba(0,0,0,0)",
      "font.color": css("--ink"),
      "hoverlabel.bgcolor": css("--panel"),
      "hoverlabel.bordercolor": css("--line"),
      "hoverlabel.font.color": css("--ink"),
    };
    for (const axis of ["xaxis", "yaxis"]) {
      colours[`${axis}.gridcolor`] = css("--grid");
      colours[`${axis}.linecolor`] = css("--line");
      colours[`${axis}.tickcolor`] = css("--line");
      colours[`${axis}.tickfont.color`] = css("--soft");
      colours[`${axis}.title.font.color`] = css("--soft");
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

  // A matrix travels in thousandths, a symmetric one without what stands left of its diagonal.
  const unpacked = (rows) =>
    rows.map((row, place) => {
      const missing = rows.slice(0, rows[0].length - row.length).map((above, at) => above[place - at]);
      return [...missing, ...row].map((value) => value / 1000);
    });

  for (const plot of plots) {
    const figure = JSON.parse(plot.nextElementSibling.textContent);
    const layout = figure.layout;
    for (const trace of figure.data) if (trace.meta?.thousandths) trace.z = unpacked(trace.meta.thousandths);
    layout.font = { family: getComputedStyle(document.body).fontFamily, size: 12 };
    layout.dragmode = touch ? false : "zoom"; // a finger on a plot scrolls the page
    for (const [path, value] of Object.entries(theme())) put(layout, path, value);
    Plotly.newPlot(plot, figure.data, layout, config);
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const plot of plots) Plotly.relayout(plot, theme());
  });

  for (const button of document.querySelectorAll("button[data-method]")) {
    button.addEventListener("click", () => {
      const method = button.dataset.method;
      const shown = button.getAttribute("aria-pressed") !== "true";
      for (const other of document.querySelectorAll("button[data-method]")) {
        if (other.dataset.method === method) other.setAttribute("aria-pressed", String(shown));
      }
      for (const plot of plots) {
        const traces = plot.data.flatMap((trace, place) => (trace.meta === method ? [place] : []));
        if (traces.length) Plotly.restyle(plot, { visible: shown ? true : "legendonly" }, traces);
      }
    });
  }
})();
