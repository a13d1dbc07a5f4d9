// What all charts of an inclination share: colours from the style sheet, a fixed range, dashed thresholds, real gaps.
/* global uPlot */

// Half of a time label: one that would reach under the other axis is left out.
const LABEL_HALF_PX = 24;
const BRACKET_ROOM_DEG = 9;
const MARK_PX = 7;
const THRESHOLDS_DEG = [20, 60];
// Steps of a clock in seconds, so that labels stand at whole minutes and hours.
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600];

export function colour(name) {
  // A probe resolves light-dark() to the colour that is in force now.
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export function colours() {
  return {
    ink: colour("--bs-ink"), line: colour("--bs-line"), quiet: colour("--bs-quiet"),
    calm: colour("--bs-calm"), notice: colour("--bs-notice"), band: colour("--bs-notice-band"),
  };
}

export function clock(zone, withSeconds = true) {
  const form = { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone };
  if (withSeconds) form.second = "2-digit";
  const format = new Intl.DateTimeFormat("en-GB", form);
  return (utc) => format.format(new Date(utc * 1000));
}

function dashedThresholds(palette) {
  return (u) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = palette.quiet;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 5 * devicePixelRatio]);
    for (const deg of THRESHOLDS_DEG) {
      const y = Math.round(u.valToPos(deg, "y", true)) + 0.5;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  };
}

function drawnBrackets(palette, brackets) {
  return (u) => {
    const { ctx, bbox } = u;
    const y = bbox.top + bbox.height - 2 * devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = palette.notice;
    ctx.lineWidth = 2 * devicePixelRatio;
    for (const [from, to] of brackets) {
      const left = Math.max(bbox.left, u.valToPos(from, "x", true));
      const right = Math.min(bbox.left + bbox.width, u.valToPos(to, "x", true));
      if (right < bbox.left || left > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(left, y - 8 * devicePixelRatio);
      ctx.lineTo(left, y);
      ctx.lineTo(right, y);
      ctx.lineTo(right, y - 8 * devicePixelRatio);
      ctx.stroke();
    }
    ctx.restore();
  };
}

// Short ticks at the top: what was counted one by one.
function drawnMarks(palette, marks) {
  return (u) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = palette.quiet;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    for (const mark of marks) {
      const x = Math.round(u.valToPos(mark, "x", true)) + 0.5;
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + MARK_PX * devicePixelRatio);
    }
    ctx.stroke();
    ctx.restore();
  };
}

// marks: Unix times. brackets: [[from, to], ...] in Unix time, what was found; each is drawn under the line.
// onSelect: told from and to of what the pointer was drawn over; without it the pointer does nothing.
export function inclinationChart(host, { zone, seconds = true, range = null, brackets = [], marks = [], onSelect = null }) {
  const palette = colours();
  const at = clock(zone, seconds);
  const font = "12px system-ui, sans-serif";
  const axis = { stroke: palette.quiet, font, ticks: { show: false }, grid: { show: false } };
  const hooks = { drawAxes: [dashedThresholds(palette)], draw: [drawnBrackets(palette, brackets), drawnMarks(palette, marks)] };
  if (onSelect) hooks.setSelect = [(u) => { if (u.select.width > 8) onSelect(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")); }];
  const box = host.getBoundingClientRect();
  const chart = new uPlot({
    width: Math.max(200, Math.floor(box.width)),
    height: Math.max(100, Math.floor(box.height)),
    pxAlign: false,
    padding: [8, 30, 0, 0],
    legend: { show: false },
    cursor: onSelect ? { points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 8 } } : { show: false },
    hooks,
    scales: {
      x: { time: false, range: range ?? ((u, low, high) => [low ?? 0, high ?? 1]) },
      // The same range every day; only a bend beyond it doubles the room.
      y: { range: (u, low, high) => [brackets.length ? -BRACKET_ROOM_DEG : 0, (high ?? 0) > 100 ? 180 : 100] },
    },
    axes: [
      { ...axis, size: 26, space: 80, incrs: STEPS_S, values: (u, splits) => splits.map((t) => (!u.data[0].length || u.valToPos(t, "x") < LABEL_HALF_PX ? "" : at(t))) },
      { ...axis, size: 44, splits: (u) => (u.scales.y.max > 100 ? [0, 20, 60, 120, 180] : [0, 20, 60, 100]), values: (u, splits) => splits.map((v) => `${v}°`) },
    ],
    series: [{}, { stroke: palette.calm, width: 2, spanGaps: false, points: { show: false } }],
  }, [[], []], host);
  const resize = new ResizeObserver(() => {
    const now = host.getBoundingClientRect();
    if (now.width > 0) chart.setSize({ width: Math.floor(now.width), height: Math.floor(now.height) });
  });
  resize.observe(host);
  return { chart, destroy: () => { resize.disconnect(); chart.destroy(); } };
}

export function onSchemeChange(redraw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

export function fillTable(body, rows) {
  body.replaceChildren(...rows.map((cells) => {
    const tr = document.createElement("tr");
    cells.forEach((cell, index) => {
      const td = document.createElement(index === 0 ? "th" : "td");
      if (index === 0) td.scope = "row";
      td.textContent = cell;
      tr.append(td);
    });
    return tr;
  }));
}

// Mean and highest inclination of each step of time: the numbers behind a line. Empty steps say so by `empty`.
export function stepRows(t, deg, step_s, at, empty = "–") {
  const rows = [];
  let index = 0;
  while (index < t.length) {
    const start = Math.floor(t[index] / step_s) * step_s;
    let sum = 0, count = 0, highest = -Infinity;
    for (; index < t.length && t[index] < start + step_s; index += 1) {
      const value = deg[index];
      if (value === null || value === undefined) continue;
      sum += value; count += 1; highest = Math.max(highest, value);
    }
    rows.push(count ? [at(start), `${Math.round(sum / count)}°`, `${Math.round(highest)}°`] : [at(start), empty, empty]);
  }
  return rows;
}
