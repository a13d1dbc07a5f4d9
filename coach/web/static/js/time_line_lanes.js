// Lanes of a time line that hold events, and the ticks of its axis.

const DAY_S = 86400;
// As high as a finger is wide where a finger points.
const FINDING_PX = matchMedia("(pointer: coarse)").matches ? 44 : 26;
const GAP_PX = 3;
// A shorter mark has no room for a word; it says itself when it is pointed at.
const NAMED_FROM_PX = 64;
const TICK_PX = 78;
// Steps of an axis below a day, s.
const STEPS_S = [10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200];
const STEPS_DAYS = [1, 2, 7, 14, 28, 56];

// In which row each of some spans goes so that none lies over another. spans: [[left, right], ...] in px, in order.
export function packed(spans) {
  const ends = [];
  return spans.map(([left, right]) => {
    let row = ends.findIndex((end) => end + GAP_PX <= left);
    if (row < 0) row = ends.length;
    ends[row] = right;
    return row;
  });
}

function placed(mark, from, to) {
  const made = document.createElement(mark.href ? "a" : "span");
  made.className = mark.shape.split(" ").map((each, index) => (index ? each : `tl-${each}`)).join(" ");
  if (mark.href) made.href = mark.href;
  made.dataset.says = mark.says;
  made.dataset.key = `${mark.shape} ${mark.start_utc_s}`;
  made.title = mark.says;
  made.setAttribute("aria-label", mark.says);
  if (!mark.href) made.role = "img";
  made.style.left = `${(100 * (Math.max(mark.start_utc_s, from) - from)) / (to - from)}%`;
  return made;
}

// Fill a lane with marks. rows: whether spans that overlap go under each other, with their names on them.
export function eventLane(row, { from, to, marks, none, rows = false }) {
  const track = document.createElement("ul");
  track.className = "tl-track events";
  row.append(track);
  const shown = marks.filter((each) => each.start_utc_s < to && (each.end_utc_s ?? (rows ? to : each.start_utc_s)) >= from);
  const width = track.clientWidth || 1;
  const px = (utc) => (width * (utc - from)) / (to - from);
  const ends = shown.map((each) => Math.min(to, each.end_utc_s ?? (rows ? to : each.start_utc_s)));
  const spans = shown.map((each, at) => {
    const left = px(Math.max(each.start_utc_s, from));
    return [left, Math.max(left + FINDING_PX, px(ends[at]))];
  });
  const lines = rows ? packed(spans) : [];
  const found = (start, end, top) => {
    const made = document.createElement("span");
    made.className = "tl-raw";
    made.style.top = top;
    made.style.left = `${(100 * (Math.max(start, from) - from)) / (to - from)}%`;
    made.style.width = `${(100 * (Math.min(end, to) - Math.max(start, from))) / (to - from)}%`;
    return made;
  };
  shown.forEach((mark, at) => {
    const item = document.createElement("li");
    const made = placed(mark, from, to);
    if (mark.end_utc_s !== null || rows) made.style.width = `${(100 * (ends[at] - Math.max(mark.start_utc_s, from))) / (to - from)}%`;
    if (rows) {
      made.style.top = `${4 + lines[at] * (FINDING_PX + GAP_PX)}px`;
      // Nothing of a mark at the right edge hangs out of the lane.
      if (px(Math.max(mark.start_utc_s, from)) > width - FINDING_PX) { made.style.left = "auto"; made.style.right = "0"; }
      if (spans[at][1] - spans[at][0] >= NAMED_FROM_PX) made.append(mark.label);
    }
    item.append(made);
    // Where in the signal it was found, once that is wider than a stroke.
    for (const [start, end] of mark.windows ?? []) if (px(end) - px(start) >= 2 && start < to && end > from) item.append(found(start, end, made.style.top));
    track.append(item);
  });
  if (rows && lines.length) track.style.height = `${8 + (Math.max(...lines) + 1) * (FINDING_PX + GAP_PX)}px`;
  if (!shown.length) {
    const empty = document.createElement("li");
    empty.className = "tl-none";
    empty.textContent = none;
    track.append(empty);
  }
}

function parts(utc, zone) {
  const form = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", weekday: "short", hour12: false, timeZone: zone });
  return Object.fromEntries(form.formatToParts(1000 * utc).map((each) => [each.type, each.value]));
}

function midnightBefore(utc, zone) {
  const { hour, minute, second } = parts(utc, zone);
  const at = Math.floor(utc) - (Number(hour) % 24) * 3600 - Number(minute) * 60 - Number(second);
  // On the day of a clock change that lands an hour beside midnight.
  const beside = Number(parts(at, zone).hour) % 24;
  return at + (beside > 12 ? 24 - beside : -beside) * 3600;
}

// Where an axis has its ticks, and what they say: [[utc, text], ...]. Whole days in the athlete's zone, weeks from Monday.
export function axisTicks(from, to, zone, language, width) {
  const tongue = language === "en" ? "en-GB" : language;
  const most = Math.max(2, width / TICK_PX);
  const length = to - from;
  const ticks = [];
  if (length / DAY_S <= most / 2) {
    const step = STEPS_S.find((each) => length / each <= most) ?? DAY_S / 2;
    const withDay = new Intl.DateTimeFormat(tongue, { weekday: "short", day: "numeric", month: "short", timeZone: zone });
    const clock = new Intl.DateTimeFormat(tongue, { hour: "2-digit", minute: "2-digit", ...(step < 60 ? { second: "2-digit" } : {}), hour12: false, timeZone: zone });
    const first = midnightBefore(from, zone);
    for (let at = first + Math.ceil((from - first) / step) * step; at < to; at += step) {
      const { hour, minute, second } = parts(at, zone);
      ticks.push([at, Number(hour) % 24 || Number(minute) || Number(second) ? clock.format(1000 * at) : withDay.format(1000 * at)]);
    }
    return ticks;
  }
  const step = STEPS_DAYS.find((each) => length / DAY_S / each <= most) ?? 112;
  const form = new Intl.DateTimeFormat(tongue, { day: "numeric", month: "short", timeZone: zone });
  let at = midnightBefore(from, zone);
  while (step >= 7 && parts(at + 3600, zone).weekday !== "Mon") at = midnightBefore(at + 1.2 * DAY_S, zone);
  for (; at < to; at = midnightBefore(at + (step + 0.2) * DAY_S, zone)) if (at >= from) ticks.push([at, form.format(1000 * at)]);
  return ticks;
}
