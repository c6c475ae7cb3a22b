// The reader: an article at the sentence that was cited, beside the conversation or as a sheet over it.

import { SHEET } from "./base.js";

const LINK = 'a[href^="#read?"]';
const GROUP = ".answer, #library, #timeline ul";

const reader = document.createElement("dialog");
reader.id = "reader";
reader.setAttribute("aria-label", "Source");
reader.innerHTML = `
  <div class="bar">
    <p class="place" aria-live="polite"></p>
    <button type="button" class="previous" aria-label="Previous source" title="Previous source">‹</button>
    <button type="button" class="next" aria-label="Next source" title="Next source">›</button>
    <button type="button" class="close" aria-label="Close" title="Close (Esc)">×</button>
  </div>
  <div class="page" tabindex="0" role="region" aria-label="Article"></div>`;
document.body.append(reader);
const part = (name) => reader.querySelector(`.${name}`);

let opener = null; // The link that the reader was opened from.
let addresses = []; // The sources of its answer, in order.
let shown = ""; // The one on show.

async function show(address) {
  shown = address;
  const index = addresses.indexOf(address);
  const query = new URLSearchParams(address.slice("#read?".length));
  const kind = query.has("number") ? "Source" : "Article";
  part("place").textContent = `${kind} ${index + 1} of ${addresses.length}`;
  part("previous").disabled = index <= 0;
  part("next").disabled = index >= addresses.length - 1;
  highlight();
  let page = '<p class="failure">The article could not be loaded: is Aftershock still running?</p>';
  try {
    const response = await fetch(`/article?${query}`);
    if (response.headers.get("content-type")?.startsWith("text/html")) page = await response.text();
  } catch {
    // The sentence above says it.
  }
  if (shown !== address) return; // Another one was asked for meanwhile.
  part("page").innerHTML = page;
  const mark = part("page").querySelector("mark");
  const target = mark ?? part("page").querySelector("h2") ?? part("page");
  if (target !== part("page")) target.tabIndex = -1;
  target.focus({ preventScroll: true });
  part("page").scrollTop = mark ? mark.offsetTop - part("page").clientHeight / 3 : 0;
}

export function highlight() {
  for (const link of document.querySelectorAll(LINK)) {
    const isShown = Boolean(shown) && link.getAttribute("href") === shown;
    link.classList.toggle("open", isShown);
    if (link.matches(".source")) link.closest("li")?.classList.toggle("open", isShown);
  }
}

/** Open the reader at a link, with the other sources around it to turn to. */
export function open(link) {
  opener = link;
  const group = link.closest(GROUP) ?? link.parentElement;
  const all = [...group.querySelectorAll(LINK)].map((each) => each.getAttribute("href"));
  const number = (address) => Number(new URLSearchParams(address.slice("#read?".length)).get("number"));
  addresses = [...new Set(all)].sort((a, b) => number(a) - number(b));
  if (!reader.open) {
    // Beside a wide panel: inside of it, since of a modal dialog only what is inside can be used.
    const panel = SHEET.matches ? null : link.closest("dialog.wide");
    (panel ?? document.body).append(reader);
    // A class for the styles: to look for the open reader at each change of the page would cost more than the change.
    if (!panel && (SHEET.matches || document.querySelector("dialog:modal"))) reader.showModal();
    else {
      reader.show();
      (panel ?? document.body).classList.add("reading");
    }
  }
  show(link.getAttribute("href"));
}

export function close() {
  if (!reader.open) return;
  reader.close();
  reader.parentElement.classList.remove("reading");
  shown = "";
  highlight();
  // The answer may have been drawn anew since: then the same link in the new drawing.
  const again = (link) =>
    link.classList[0] === opener.classList[0] && link.getAttribute("href") === opener.getAttribute("href");
  const back = opener.isConnected ? opener : [...document.querySelectorAll(LINK)].findLast(again);
  (back ?? document.querySelector("#ask textarea")).focus();
}

reader.addEventListener("click", (event) => {
  const step = { previous: -1, next: 1 }[event.target.className];
  if (step) show(addresses[addresses.indexOf(shown) + step]);
  else if (event.target.className === "close" || event.target === reader) close(); // The backdrop counts as the dialog.
});

reader.addEventListener("cancel", (event) => {
  event.preventDefault();
  close();
});

SHEET.addEventListener("change", close);

document.addEventListener(
  "click",
  (event) => {
    const link = event.target.closest?.(LINK);
    if (link) {
      event.preventDefault();
      open(link);
    }
    if (event.target.closest?.("#new, #fresh, a.conversation")) close();
  },
  true,
);

document.addEventListener("keydown", (event) => {
  // A modal reader gets a cancel event of its own; closed already, the dialog below it would get that.
  if (event.key === "Escape" && !event.defaultPrevented && reader.open && !reader.matches(":modal")) {
    event.preventDefault(); // Nor is the panel closed that it may stand in.
    close();
  }
});
