// The pictures of the timeline, drawn by Plotly out of rows of its tables.

import { inTurn } from "./base.js";

const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "octagon"];
const DAY = 864e5;
const CONFIG = { displayModeBar: false, scrollZoom: true, doubleClick: false, showTips: false };

let Plotly = null;
let place = null; // The element that holds the picture.
let drawn = ""; // Which view it shows.

// One thing is done to the picture after another: Plotly mixes up what is drawn while it still draws.
const oneByOne = inTurn();

let asked = 0;
let anew = false; // Whether some picture that was asked for since the last one is to begin with a range of its own.

/**
 * Draw the rows, and return the points in the order in which one goes through them: {row, curve, point}. Where it is to
 * be drawn once more before its turn comes, as with each letter that is typed, it isn't drawn, and that is null.
 */
export function draw(into, view, rows, wanted) {
  asked += 1;
  const number = asked;
  anew ||= !wanted.keepRange;
  return oneByOne(() => (number === asked ? drawNow(into, view, rows, wanted) : null));
}

async function drawNow(into, view, rows, wanted) {
  place = into;
  Plotly ??= await library(wanted.charts);
  const made = view === "events" ? events(rows, wanted) : wanted.days.includes("/") ? week(rows, wanted) : day(rows, wanted);
  if (view === "events" && !anew && drawn === view) made.layout.xaxis.range = place.layout.xaxis.range;
  drawn = view;
  anew = false;
  // What another kind of picture leaves behind (axes, hover) would be drawn into this one.
  if (place.data) Plotly.purge(place);
  place.dataset.kind = made.kind;
  place.style.height = made.height ? `${made.height}px` : "";
  await Plotly.newPlot(place, made.traces, { ...look(), ...made.layout }, CONFIG);
  place.on("plotly_click", ({ points: [at] }) => at && wanted.choose(at.data.rows[at.pointNumber]));
  return made.order(
    made.traces.flatMap((trace, curve) => trace.rows.map((row, point) => ({ row, curve, point }))),
  );
}

/** The next picture is drawn from nothing. */
export function forget() {
  drawn = "";
}

export const resize = () =>
  oneByOne(() => {
    if (!place?.data || !place.clientWidth) return null;
    const { width, height } = place.layout;
    return width !== place.clientWidth || height !== place.clientHeight ? Plotly.relayout(place, size()) : null;
  });

/** Have these points stand out. */
draw.mark = (points) =>
  oneByOne(() => {
    if (!place?.data) return null;
    const marked = place.data.map((_, curve) => points.filter((each) => each.curve === curve).map((each) => each.point));
    return Plotly.restyle(place, { selectedpoints: points.length ? marked : [null] });
  });

/** Whether the point of a row is in sight. */
draw.inSight = ({ dataset: { date } }) => {
  const [from, to] = drawn === "events" ? range() : [-Infinity, Infinity];
  return Date.parse(date) >= from && Date.parse(date) <= to;
};

/** Have a point in sight. */
draw.reveal = (point) =>
  oneByOne(() => {
    if (!point || drawn !== "events") return null;
    const at = Date.parse(point.row.dataset.date);
    const [from, to] = range();
    return at < from || at > to ? Plotly.relayout(place, { "xaxis.range": spread(at, to - from) }) : null;
  });

draw.zoom = (how) =>
  oneByOne(() => {
    if (drawn !== "events" || !place?.data) return null;
    const [from, to] = range();
    const dates = place.data.flatMap((trace) => trace.x);
    const wanted = {
      in: () => spread((from + to) / 2, (to - from) / 2),
      out: () => spread((from + to) / 2, (to - from) * 2),
      all: () => whole(dates),
    }[how]();
    return Plotly.relayout(place, { "xaxis.range": wanted });
  });

// Plotly writes times of UTC without saying so, and leaves out zeros at the end.
const range = () =>
  place.layout.xaxis.range.map((each) => Date.parse(`${each.slice(0, 10)}T${each.slice(11).padEnd(8, "00:00:00".slice(each.slice(11).length))}Z`));
const written = (time) => new Date(time).toISOString().slice(0, 19).replace("T", " ");
const spread = (middle, width) => [middle - width / 2, middle + width / 2].map(written);

function whole(dates) {
  const times = dates.map((each) => Date.parse(each));
  const margin = Math.max(2 * DAY, (Math.max(...times) - Math.min(...times)) * 0.03);
  return [Math.min(...times) - margin, Math.max(...times) + margin].map(written);
}

// Where most happens: the stretch of days, as many as there is room for, with most events.
function crowded(dates, days) {
  const times = dates.map((each) => Date.parse(each)).sort((a, b) => a - b);
  let best = [0, times[0]];
  let end = 0;
  times.forEach((start, nth) => {
    while (times[end] <= start + days * DAY) end += 1;
    if (end - nth > best[0]) best = [end - nth, start];
  });
  return [best[1] - DAY, best[1] + (days + 1) * DAY].map(written);
}

async function library(address) {
  await new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = () => reject(new Error("The pictures could not be loaded: is Aftershock still running?"));
    document.head.append(script);
  });
  return window.Plotly;
}

const style = (name) => getComputedStyle(place).getPropertyValue(name).trim();
const colour = (number) => style(`--topic-${number + 1}`);
const narrow = () => place.clientWidth < 600;

const size = () => ({ width: place.clientWidth, height: place.clientHeight });

function look() {
  return {
    ...size(),
    showlegend: false,
    dragmode: "pan",
    hovermode: "closest",
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: style("--sans"), size: 13, color: style("--ink") },
    hoverlabel: {
      align: "left",
      bgcolor: style("--raised"),
      bordercolor: style("--faint"),
      font: { family: style("--sans"), size: 13, color: style("--ink") },
    },
  };
}

// Plotly reads a few HTML tags in what it writes.
const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

function lines(text, width) {
  const made = [""];
  for (const word of text.split(/\s+/)) {
    if (`${made.at(-1)} ${word}`.length > width && made.at(-1)) made.push("");
    made[made.length - 1] = `${made.at(-1)} ${word}`.trim();
  }
  const kept = made.length > 6 ? [...made.slice(0, 6), "…"] : made;
  return kept.map(plain).join("<br>");
}

const spoken = (date, options = {}) =>
  new Date(date).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC", ...options });

// Each topic has a lane, as high as its fullest day needs; what happened on one day stands one above another in it.
function events(rows, { topics, all, period }) {
  const lanes = topics.filter((topic) => rows.some((row) => row.dataset.topic === topic));
  const stacks = new Map();
  const key = ({ dataset: { date, topic } }) => `${date} ${topic}`;
  for (const row of rows) {
    if (!stacks.has(key(row))) stacks.set(key(row), []);
    stacks.get(key(row)).push(row);
  }
  const fullest = (topic) =>
    Math.max(...[...stacks.values()].filter(([row]) => row.dataset.topic === topic).map((stack) => stack.length));
  const edges = [0];
  for (const topic of lanes) edges.push(edges.at(-1) + fullest(topic) + 0.6);
  const middle = (lane) => (edges[lane] + edges[lane + 1]) / 2;
  const heightOf = (row) => {
    const stack = stacks.get(key(row));
    return middle(lanes.indexOf(row.dataset.topic)) + stack.indexOf(row) - (stack.length - 1) / 2;
  };
  const traces = lanes.map((topic) => {
    const own = rows.filter((row) => row.dataset.topic === topic);
    return {
      type: "scatter",
      mode: "markers",
      rows: own,
      x: own.map((row) => row.dataset.date),
      y: own.map(heightOf),
      marker: {
        color: colour(all.indexOf(topic)),
        symbol: SYMBOLS[all.indexOf(topic)],
        size: own.map((row) => (narrow() ? 8 : 10) + 2 * Number(row.dataset.told)),
        line: { color: style("--raised"), width: 1.5 },
        opacity: 0.95,
      },
      selected: { marker: { opacity: 1 } },
      unselected: { marker: { opacity: 0.3 } },
      text: own.map(
        (row) => `<b>${spoken(row.dataset.date, { year: "numeric" })}</b><br>${lines(row.querySelector(".said").textContent, narrow() ? 32 : 56)}`,
      ),
      hoverinfo: "text",
    };
  });
  const dates = rows.map((row) => row.dataset.date);
  const given = period[0] || period[1];
  const span = dates.length ? Date.parse(dates.at(-1)) - Date.parse(dates[0]) : 0;
  const days = narrow() ? 10 : 21;
  const bounds = !dates.length
    ? undefined
    : given || span < 2 * days * DAY
      ? whole([period[0] || dates[0], period[1] || dates.at(-1)])
      : crowded(dates, days);
  return {
    kind: "events",
    traces,
    order: (points) => points.sort((a, b) => a.row.rowIndex - b.row.rowIndex),
    layout: {
      margin: { l: narrow() ? 82 : 100, r: 14, t: 6, b: 42 },
      xaxis: {
        type: "date",
        range: bounds,
        gridcolor: style("--rule"),
        tickcolor: style("--rule"),
        tickformatstops: [
          { dtickrange: [null, DAY * 27], value: "%-d %b\n%Y" },
          { dtickrange: [DAY * 27, "M6"], value: "%b\n%Y" },
          { dtickrange: ["M6", null], value: "%Y" },
        ],
        nticks: narrow() ? 6 : 12,
        minallowed: dates.length ? written(Date.parse(dates[0]) - 400 * DAY) : undefined,
        maxallowed: dates.length ? written(Date.parse(dates.at(-1)) + 400 * DAY) : undefined,
      },
      yaxis: {
        fixedrange: true,
        range: [edges.at(-1), 0],
        tickvals: lanes.map((_, lane) => middle(lane)),
        ticktext: lanes,
        showgrid: false,
        zeroline: false,
        ticks: "",
      },
      shapes: lanes.slice(1).map((_, lane) => ({
        type: "line",
        layer: "below",
        xref: "paper",
        x0: 0,
        x1: 1,
        y0: edges[lane + 1],
        y1: edges[lane + 1],
        line: { color: style("--rule"), width: 1 },
      })),
    },
  };
}

// Changes

const percent = (row) => Number(row.dataset.percent);
const atClose = (row) => row.dataset.close === "1";

function said(row) {
  const { subject, written, outlets, date } = row.dataset;
  const when = atClose(row) ? "" : ", during the day";
  return `<b>${plain(subject)} ${plain(written)}</b>${when}<br>${spoken(date, { year: "numeric" })}<br>${lines(outlets, 44)}`;
}

// The first value of each subject and day is a bar, what others say besides a mark, as is what was no closing value.
function split(rows) {
  const bars = new Map();
  const marks = [];
  for (const row of rows) {
    const key = `${row.dataset.subject} ${row.dataset.date}`;
    if (atClose(row) && !bars.has(key)) bars.set(key, row);
    else marks.push(row);
  }
  return { bars: [...bars.values()], marks };
}

const ring = () => ({ symbol: "circle-open", size: 10, color: style("--ink"), line: { width: 2 } });
const diamond = () => ({ symbol: "diamond", size: 11, color: style("--ink"), line: { width: 1.5, color: style("--raised") } });
const PATTERNS = ["", "/", ".", "\\", "x", "-", "+"];
const pattern = () => ({ fgcolor: style("--raised"), fgopacity: 0.6, size: 6, solidity: 0.25 });
const bare = (row) => row.dataset.written.replace(/^[a-z ]+/, "").replace("%", "");
const fade = { selected: { marker: { opacity: 1 } }, unselected: { marker: { opacity: 0.35 } } };

// Where another report's mark stands beyond the end of a bar, the bar's figure would be written across it.
const isBeyond = (marks) => (bar) =>
  marks.some(
    (mark) =>
      mark.dataset.subject === bar.dataset.subject &&
      mark.dataset.date === bar.dataset.date &&
      percent(mark) * percent(bar) > 0 &&
      Math.abs(percent(mark)) > Math.abs(percent(bar)),
  );

function week(rows, { days, subjects }) {
  const [first, last] = days.split("/");
  const inside = rows.filter((row) => row.dataset.date >= first && row.dataset.date <= last);
  const dates = [...new Set(inside.filter((row) => subjects.has(row.dataset.subject)).map((row) => row.dataset.date))].sort();
  const label = (date) => spoken(date, { weekday: narrow() ? undefined : "short" });
  const traces = [...subjects].flatMap(([subject, nth]) => {
    const own = split(inside.filter((row) => row.dataset.subject === subject));
    const color = colour(nth);
    const common = { offsetgroup: subject, hoverinfo: "text", ...fade };
    const values = (some) => ({
      rows: some,
      x: some.map((row) => label(row.dataset.date)),
      y: some.map(percent),
      hovertext: some.map(said),
    });
    const bars = {
      ...common,
      ...values(own.bars),
      type: "bar",
      marker: { color, pattern: { shape: PATTERNS[nth], fillmode: "overlay", ...pattern() } },
      text: narrow() ? undefined : own.bars.map(bare),
      textposition: own.bars.map((bar) => (isBeyond(own.marks)(bar) ? "none" : "outside")),
      textangle: 0,
      textfont: { size: 10.5 },
      constraintext: "none",
      cliponaxis: false,
    };
    const others = own.marks.filter((row) => dates.includes(row.dataset.date));
    const marks = [
      [others.filter(atClose), diamond],
      [others.filter((row) => !atClose(row)), ring],
    ]
      .filter(([some]) => some.length)
      .map(([some, shape]) => ({
        ...common,
        ...values(some),
        type: "scatter",
        mode: "markers",
        marker: shape(),
      }));
    return [bars, ...marks];
  });
  return {
    kind: "week",
    traces,
    order: (points) =>
      points.sort((a, b) => a.row.dataset.date.localeCompare(b.row.dataset.date) || a.curve - b.curve),
    layout: {
      margin: { l: 52, r: 10, t: 16, b: 36 },
      barmode: "group",
      scattermode: "group",
      bargap: 0.12,
      xaxis: { type: "category", categoryarray: dates.map(label), fixedrange: true, range: [-0.5, dates.length - 0.5] },
      yaxis: {
        fixedrange: true,
        ticksuffix: "%",
        gridcolor: style("--rule"),
        zerolinecolor: style("--faint"),
        zerolinewidth: 1.5,
      },
    },
  };
}

function day(rows, { days }) {
  const own = split(rows.filter((row) => row.dataset.date === days));
  const value = new Map();
  for (const row of [...own.marks, ...own.bars]) value.set(row.dataset.subject, percent(row));
  const subjects = [...value].sort((a, b) => b[1] - a[1]).map(([subject]) => subject);
  const short = (subject) => plain(subject.length > 20 && narrow() ? `${subject.slice(0, 18)}…` : subject);
  const values = (some) => ({
    rows: some,
    x: some.map(percent),
    y: some.map((row) => subjects.indexOf(row.dataset.subject)),
    hovertext: some.map(said),
    hoverinfo: "text",
    ...fade,
  });
  const label = narrow() ? bare : (row) => row.dataset.written;
  const bars = {
    ...values(own.bars),
    type: "bar",
    orientation: "h",
    marker: { color: own.bars.map((row) => style(percent(row) < 0 ? "--fall" : "--rise")) },
    text: own.bars.map(label),
    textposition: own.bars.map((bar) => (!isBeyond(own.marks)(bar) ? "outside" : narrow() ? "none" : "inside")),
    textfont: { size: 11.5 },
    constraintext: "none",
    cliponaxis: false,
  };
  const [closing, during] = [own.marks.filter(atClose), own.marks.filter((row) => !atClose(row))];
  const traces = [
    bars,
    { ...values(closing), type: "scatter", mode: "markers", marker: diamond() },
    {
      ...values(during),
      type: "scatter",
      mode: "markers+text",
      marker: ring(),
      text: during.map((row) => (own.bars.some((bar) => bar.dataset.subject === row.dataset.subject) ? "" : label(row))),
      textposition: during.map((row) => (percent(row) < 0 ? "middle left" : "middle right")),
      textfont: { size: 11.5 },
    },
  ].filter((trace) => trace.rows.length);
  const extremes = [...own.bars, ...own.marks].map(percent);
  const reach = Math.max(...extremes) - Math.min(0, ...extremes) || 1;
  const room = narrow() ? 0.35 : 0.2; // for what is written at the ends of the bars
  return {
    kind: "day",
    traces,
    height: Math.max(160, 70 + subjects.length * 21),
    order: (points) => points.sort((a, b) => subjects.indexOf(b.row.dataset.subject) - subjects.indexOf(a.row.dataset.subject) || a.curve - b.curve),
    layout: {
      margin: { l: narrow() ? 132 : 220, r: 20, t: 34, b: 12 },
      bargap: 0.35,
      xaxis: {
        fixedrange: true,
        side: "top",
        ticksuffix: "%",
        gridcolor: style("--rule"),
        zerolinecolor: style("--faint"),
        zerolinewidth: 1.5,
        range: [Math.min(0, ...extremes) - reach * room, Math.max(0, ...extremes) + reach * room],
      },
      yaxis: {
        fixedrange: true,
        range: [-0.7, subjects.length - 0.3],
        tickvals: subjects.map((_, nth) => nth),
        ticktext: subjects.map(short),
        showgrid: false,
        zeroline: false,
        ticks: "",
      },
    },
  };
}
