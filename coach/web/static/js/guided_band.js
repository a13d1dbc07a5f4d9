// How far the body is from where it began, over the last seconds, and behind it the band to move in: from when a
// repetition began, at the pace and to the range that are aimed at.

const WINDOW_S = 12;
const KEPT_S = 20;
// A hole between two looks of more than this is a gap.
const GAP_S = 0.4;
const LEAST_DEG = 20;
// A look that is higher than the one before by less than this is no movement.
const RISES_DEG = 0.2;
// The line moves on by itself between two events, but not for longer than a lost second.
const AHEAD_S = 1;

export class Band {
  constructor(canvas) {
    this.canvas = canvas;
    // The style sheet says the colours of line, rule and band; a style that is read here follows the scheme.
    this.paint = getComputedStyle(canvas);
    this.clear();
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  clear() {
    this.line = [];
    this.begins = [];
    this.phase = null;
    this.top = LEAST_DEG;
  }

  add(seen, step, aim) {
    this.step = step;
    this.aim = aim;
    for (let k = 0; k < seen.t_utc_s.length; k += 1) this.line.push([seen.t_utc_s[k], seen.away_deg[k]]);
    const newest = this.line.length ? this.line[this.line.length - 1][0] : 0;
    this.newest = newest;
    this.newestAt = performance.now();
    while (this.line.length && this.line[0][0] < newest - KEPT_S) this.line.shift();
    if (seen.phase !== this.phase) {
      // Gone through "away" between two events, a hold has begun by then too.
      if ((seen.phase === "away" || seen.phase === "holding") && (this.phase === "ready" || this.phase === null)) this.begins.push(this.left(newest));
      this.phase = seen.phase;
    }
    this.begins = this.begins.filter((at) => at > newest - KEPT_S - (step.hold_s ?? 0));
    // The axis grows with what is seen and does not shrink again within a set.
    for (const [, deg] of this.line) if (deg !== null && deg * 1.15 > this.top) this.top = deg * 1.15;
    if (aim && aim * 1.3 > this.top) this.top = aim * 1.3;
  }

  // When the pose was left: back from now, where the line has stopped falling.
  left(newest) {
    let k = this.line.length - 1;
    while (k > 0 && this.line[k][1] !== null && this.line[k - 1][1] !== null && this.line[k - 1][1] < this.line[k][1] - RISES_DEG) k -= 1;
    return k >= 0 ? this.line[k][0] : newest;
  }

  // The right edge is the newest look and the time since: by the wearable's clock, whatever this device's one says.
  draw() {
    const { canvas } = this, box = canvas.getBoundingClientRect();
    if (!box.width || !this.line.length) return;
    const now = this.newest + Math.min((performance.now() - this.newestAt) / 1000, AHEAD_S);
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(box.width * scale)) { canvas.width = Math.round(box.width * scale); canvas.height = Math.round(120 * scale); }
    // Who wants less motion sees whole seconds.
    const end = this.still ? Math.ceil(now) : now;
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, box.width, 120);
    const x = (t) => box.width * (1 - (end - t) / WINDOW_S), y = (deg) => 112 - 104 * (deg / this.top);
    this.drawBand(pen, x, y);
    this.drawLine(pen, x, y);
  }

  drawBand(pen, x, y) {
    if (!this.aim || !this.step) return;
    const { aim } = this, hold = this.step.hold_s ?? 0, half = hold ? 1.5 : this.step.pace_s / 2, wide = this.step.rom_share;
    pen.fillStyle = this.paint.caretColor;
    // Of the newest one only: whoever is faster than the pace would see them overlap.
    for (const begin of this.begins.slice(-1)) {
      const corners = (share, early) => [[0, 0], [half - early, share], [half + hold + early, share], [2 * half + hold, 0]];
      pen.beginPath();
      for (const [k, [s, share]] of corners(1 + wide, 0.3).entries()) pen[k ? "lineTo" : "moveTo"](x(begin + s), y(aim * share) - (share ? 0 : 6));
      for (const [s, share] of corners(1 - wide, -0.3).reverse()) pen.lineTo(x(begin + s), y(aim * share) + (share ? 0 : 6));
      pen.closePath();
      pen.fill();
    }
    pen.strokeStyle = this.paint.outlineColor;
    pen.lineWidth = 1;
    pen.setLineDash([4, 4]);
    for (const share of [1 - wide, 1 + wide]) { pen.beginPath(); pen.moveTo(0, y(aim * share)); pen.lineTo(x(0) < 0 ? pen.canvas.width : 0, y(aim * share)); pen.stroke(); }
    pen.setLineDash([]);
  }

  drawLine(pen, x, y) {
    pen.strokeStyle = this.paint.color;
    pen.lineWidth = 2.5;
    pen.lineJoin = "round";
    pen.beginPath();
    let last = null;
    for (const [t, deg] of this.line) {
      if (deg === null) { last = null; continue; }
      if (last === null || t - last > GAP_S) pen.moveTo(x(t), y(deg)); else pen.lineTo(x(t), y(deg));
      last = t;
    }
    pen.stroke();
  }
}
