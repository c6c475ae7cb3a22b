// The timeline: events and daily changes as pictures and as tables. The tables come from the server and hold it all;
// the pictures are drawn from those of their rows that the filters leave.

import { dialog, element, found, order, send, trying, whileBusy } from "./base.js";
import { draw, forget, resize } from "./pictures.js";
import { open as read } from "./reader.js";

// The symbols as Plotly draws them: see `SYMBOLS` in pictures.js. Each has a colour of its own in timeline.css.
const MARKS = [
  "M6,0A6,6 0 1,1 0,-6A6,6 0 0,1 6,0Z",
  "M5.5,5.5H-5.5V-5.5H5.5Z",
  "M7.5,0L0,7.5L-7.5,0L0,-7.5Z",
  "M-6.8,4H6.8L0,-8Z",
  "M-6.8,-4H6.8L0,8Z",
  "M2,-6V-2H6V2H2V6H-2V2H-6V-2H-2V-6Z",
  "M3,-7L7,-3V3L3,7H-3L-7,3V-3L-3,-7Z",
];

const MOST_AT_FIRST = 6;
const LETTERS_APART = 150; // Milliseconds: who types on sees no picture or table of every letter, which takes long of many.

const panel = dialog(
  "timeline",
  "Timeline",
  `<div class="tools">
     <div class="switch" role="group" aria-label="What to show">
       <button type="button" data-view="events" aria-pressed="true">Events</button>
       <button type="button" data-view="changes" aria-pressed="false">Figures</button>
     </div>
     <div class="switch" role="group" aria-label="How to show it">
       <button type="button" data-form="picture" aria-pressed="true">Picture</button>
       <button type="button" data-form="table" aria-pressed="false">Table</button>
     </div>
     <button type="button" class="narrow quiet" aria-expanded="false" aria-controls="timeline-filters">Filter</button>
     <form class="filters" id="timeline-filters" role="search" aria-label="Filter the timeline">
       <label class="for-changes">Show <select></select></label>
       <label>From <input type="date" name="from"></label>
       <label>to <input type="date" name="to"></label>
       <input type="search" placeholder="Filter by words" aria-label="Filter by words">
     </form>
   </div>
   <fieldset class="legend of-events"><legend class="unseen">Topics to show</legend></fieldset>
   <fieldset class="legend of-changes"><legend class="unseen">What to show day by day, at most ${MARKS.length}</legend></fieldset>
   <div class="above"><p class="count" role="status"></p>
     <p class="key">Bar: at the close. Ring: during the day. Diamond: another report.</p>
     <div class="zoom" role="group" aria-label="Zoom">
       <button type="button" data-zoom="in" aria-label="Zoom in" title="Zoom in (+)">+</button>
       <button type="button" data-zoom="out" aria-label="Zoom out" title="Zoom out (−)">−</button>
       <button type="button" data-zoom="all" title="From first to last (0)">All</button>
     </div></div>
   <div class="scene">
     <div class="picture" tabindex="0" role="application" aria-describedby="timeline-keys"></div>
     <div class="tables" tabindex="0" role="region" aria-label="Table"></div>
     <section class="card" aria-label="Chosen" aria-live="polite"></section>
   </div>
   <p class="unseen" id="timeline-keys">Left and right arrow keys go from one to the next, Enter reads the article, plus
     and minus zoom. The table holds the same.</p>`,
);
panel.classList.add("wide");
const part = (selector) => panel.querySelector(selector);
const picture = part(".picture");
const card = part(".card");
const search = part("input[type=search]");
const select = part("select");

let view = "events"; // or "changes"
let form = "picture"; // or "table"
let chosen = null; // The row whose card is shown.
let points = []; // What the picture shows, as the arrow keys go through it: {row, curve, point}.

const table = (of = view) => part(`.tables .${of} table`);
const rows = (of = view) => [...(table(of)?.tBodies[0].rows ?? [])];
const shown = () => rows().filter((row) => !row.hidden);

let page = ""; // Both tables, as the server made them.

const load = whileBusy(async () => {
  const response = await send("/timeline");
  const html = await response.text();
  if (response.headers.get("X-Busy") === "1") {
    // What there is stays in use meanwhile.
    if (!page) part(".count").textContent = element(html).textContent;
    return panel.open;
  }
  if (html !== page) await take(html);
  return false;
});

async function take(html) {
  page = html;
  part(".tables").innerHTML = html;
  chosen = null;
  forget();
  offerTopics();
  offerDays();
  offerSubjects();
  await show();
}

function offerTopics() {
  const all = part(".tables .events").dataset.topics.split(",");
  const used = all.filter((topic) => part(`.events tr[data-topic="${topic}"]`));
  part(".of-events").replaceChildren(part(".of-events legend"), ...used.map((topic) => box(topic, all.indexOf(topic), true)));
}

function box(name, colour, checked) {
  const made = element(`<label class="topic"><input type="checkbox">
    <svg viewBox="-9 -9 18 18" aria-hidden="true"><path d="${MARKS[colour]}"/></svg><span dir="auto"></span></label>`);
  made.style.setProperty("--own", `var(--topic-${colour + 1})`);
  made.querySelector("span").textContent = name;
  Object.assign(made.querySelector("input"), { value: name, checked });
  return made;
}

// What several days are told of, the most told of first; each keeps its colour.
function offerSubjects() {
  const legend = part(".of-changes");
  const [first, last] = select.value.split("/");
  const told = new Map();
  for (const { dataset: { subject, date, close }, ...row } of rows("changes").map((row) => ({ dataset: row.dataset, count: row.querySelectorAll("a.source").length }))) {
    if (date < first || date > last) continue;
    const known = told.get(subject) ?? { dates: new Set(), count: 0 };
    if (close === "1") known.dates.add(date);
    known.count += row.count;
    told.set(subject, known);
  }
  const offered = [...told]
    .filter(([, { dates }]) => dates.size > 1)
    .sort(([, a], [, b]) => b.dates.size - a.dates.size || b.count - a.count)
    .map(([subject]) => subject);
  legend.replaceChildren(
    legend.querySelector("legend"),
    ...offered.map((subject, nth) => box(subject, nth % MARKS.length, nth < MOST_AT_FIRST)),
  );
}

// The subjects that are chosen, each with the number of its colour: no two have the same.
function chosenSubjects() {
  const free = MARKS.map((_, nth) => nth);
  const checked = [...panel.querySelectorAll(".of-changes :checked")];
  for (const each of checked) if (each.dataset.colour) free.splice(free.indexOf(Number(each.dataset.colour)), 1);
  for (const each of panel.querySelectorAll(".of-changes input")) {
    if (!each.checked) delete each.dataset.colour;
    else each.dataset.colour ??= free.shift();
    each.disabled = !each.checked && checked.length >= MARKS.length;
    each.parentElement.style.setProperty("--own", each.checked ? `var(--topic-${Number(each.dataset.colour) + 1})` : "");
  }
  return new Map(checked.map((each) => [each.value, Number(each.dataset.colour)]));
}

// For the figures: the week around the day that most is told of, and each day by itself.
function offerDays() {
  const dates = [...panel.querySelectorAll(".changes tr[data-date]")].map((row) => row.dataset.date);
  const counts = new Map();
  for (const date of dates) counts.set(date, (counts.get(date) ?? 0) + 1);
  const busiest = [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))[0]?.[0];
  select.replaceChildren();
  if (!busiest) return;
  const week = [shift(busiest, -3), shift(busiest, 4)];
  select.add(new Option(`${spoken(week[0])} to ${spoken(week[1])}, day by day`, week.join("/")));
  for (const [date, count] of [...counts].sort()) select.add(new Option(`${spoken(date)} (${count})`, date));
}

const shift = (date, days) => new Date(Date.parse(date) + days * 864e5).toISOString().slice(0, 10);
const spoken = (date) =>
  new Date(date).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const [from, to] = ["from", "to"].map((name) => part(`[name=${name}]`).value);
  const topics = new Set([...panel.querySelectorAll(".of-events :checked")].map((each) => each.value));
  for (const row of rows()) {
    const { date, topic } = row.dataset;
    row.hidden = Boolean((from && date < from) || (to && date > to) || (topic && !topics.has(topic)));
    if (row.hidden || !words.length) continue;
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
}

function tell(some) {
  const [all, what] = [rows().length, view === "events" ? "events" : "figures"];
  const [those, of] = [some, all].map((count) => count.toLocaleString("en-GB"));
  part(".count").textContent = all ? (some < all ? `${those} of ${of} ${what}` : `${of} ${what}`) : "";
}

async function show(keepRange = false) {
  panel.dataset.view = view;
  panel.dataset.form = rows().length ? form : "table";
  panel.dataset.days = select.value.includes("/") ? "week" : "day";
  for (const button of panel.querySelectorAll(".switch button")) {
    button.setAttribute("aria-pressed", String([view, form].includes(button.dataset.view ?? button.dataset.form)));
  }
  filter();
  if (chosen?.hidden || (chosen && !table()?.contains(chosen))) choose(null);
  picture.setAttribute("aria-label", view === "events" ? "Events on a time axis" : "Daily changes in per cent");
  tell(shown().length);
  if (panel.dataset.form === "table") return;
  const period = ["from", "to"].map((name) => part(`[name=${name}]`).value);
  const drawn = await draw(picture, view, shown(), {
    charts: part(".tables .events").dataset.charts,
    topics: [...panel.querySelectorAll(".of-events input")].map((each) => each.value),
    all: part(".tables .events").dataset.topics.split(","),
    days: select.value,
    subjects: chosenSubjects(),
    period,
    keepRange,
    choose: (row) => pick(row),
  });
  if (!drawn) return;
  points = drawn;
  tell(new Set(points.map((point) => point.row)).size);
  if (chosen) draw.mark(points.filter((point) => point.row === chosen));
}

// What the card says of a row, and that row's points stand out in the picture.
function choose(row) {
  chosen = row;
  const told = row && view === "events" ? row.querySelector(".said") : row?.querySelector("a.source");
  if (!row) {
    card.replaceChildren();
    return;
  }
  const { topic, subject, written } = row.dataset;
  card.innerHTML = `<p class="about"></p><p class="said" dir="auto"></p><ul></ul>
    <p class="buttons"><button type="button" class="ask">Ask about this</button></p>`;
  const day = row.querySelector("time").textContent;
  card.querySelector(".about").textContent = [day, topic ?? `${subject} ${written}`].join(" · ");
  card.querySelector(".said").textContent = view === "events" ? told.textContent : told.title;
  card.querySelector("ul").replaceWith(row.querySelector("ul").cloneNode(true));
  draw.mark(points.filter((point) => point.row === row));
}

// Chosen by a click: there is room to read it at once, but on a phone, where the card comes first.
function pick(row) {
  choose(row);
  if (matchMedia("(min-width: 800.02px)").matches) read(card.querySelector("a.source"));
}

function step(by) {
  if (!points.length) return;
  const all = [...new Set(points.map((point) => point.row))];
  const at = all.indexOf(chosen);
  let to = at + by;
  if (at < 0 && Number.isFinite(by)) {
    const seen = all.filter(draw.inSight); // One begins with what is in sight.
    to = all.indexOf(by > 0 ? seen[0] : seen.at(-1));
  }
  choose(all[Math.max(0, Math.min(all.length - 1, to))]);
  draw.reveal(points.find((point) => point.row === chosen));
}

picture.addEventListener("keydown", (event) => {
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
  const zooms = { "+": "in", "=": "in", "-": "out", 0: "all" };
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in steps) step(steps[event.key]);
  else if (event.key in zooms) draw.zoom(zooms[event.key]);
  else if (event.key === "Enter" && chosen) read(card.querySelector("a.source"));
  else return;
  event.preventDefault();
});

panel.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.matches(".narrow")) {
    const unfolded = panel.classList.toggle("filtering");
    button.setAttribute("aria-expanded", String(unfolded));
  }
  if (button.dataset.zoom) draw.zoom(button.dataset.zoom);
  if (button.dataset.view || button.dataset.form) {
    view = button.dataset.view ?? view;
    form = button.dataset.form ?? form;
    trying(show);
  }
  if (button.matches(".ask")) {
    const about = button.closest("tr, .card").querySelector(".said").textContent;
    panel.close();
    order({ do: "ask", question: `Tell me more about this: ${about}` });
    document.querySelector("#ask textarea").focus();
  }
});

part(".filters").addEventListener("submit", (event) => event.preventDefault());
let typing = 0;
part(".filters").addEventListener("input", (event) => {
  clearTimeout(typing);
  if (event.target !== search) trying(show);
  else typing = setTimeout(() => trying(() => show(true)), LETTERS_APART);
});
for (const legend of panel.querySelectorAll(".legend")) legend.addEventListener("change", () => trying(() => show(true)));
new ResizeObserver(() => resize()).observe(picture);
// Drawn anew in other colours when it gets dark, and only then: the page's other classes come and go.
let dark = document.body.classList.contains("dark");
new MutationObserver(() => {
  const now = document.body.classList.contains("dark");
  if (now !== dark && panel.open) trying(() => show(true));
  dark = now;
}).observe(document.body, { attributeFilter: ["class"] });

(await found("#to-timeline")).addEventListener("click", () => {
  panel.showModal();
  part(".switch button").focus();
  if (!page) part(".count").textContent = "Reading the articles…";
  load();
});
