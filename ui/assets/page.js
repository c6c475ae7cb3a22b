// The reader of sources, copying, and what Gradio's own page lacks for keyboards and screen readers.

const SHEET = matchMedia("(max-width: 800px)");
const LINK = 'a[href^="#read?"]';

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

function highlight() {
  for (const link of document.querySelectorAll(LINK)) {
    link.classList.toggle("open", link.getAttribute("href") === shown);
  }
}

function open(link) {
  opener = link;
  const all = [...link.closest(".answer").querySelectorAll(LINK)].map((each) => each.getAttribute("href"));
  const number = (address) => Number(new URLSearchParams(address.slice("#read?".length)).get("number"));
  addresses = [...new Set(all)].sort((a, b) => number(a) - number(b));
  if (!reader.open) {
    if (SHEET.matches) reader.showModal();
    else reader.show();
  }
  show(link.getAttribute("href"));
}

function close() {
  if (!reader.open) return;
  reader.close();
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
    const link = event.target.closest?.(`#chat ${LINK}`);
    if (link) {
      event.preventDefault();
      open(link);
    }
    if (event.target.closest?.("#new")) close();
  },
  true,
);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
  if (event.key === "/" && !event.target.closest("input, textarea") && !reader.matches(":modal")) {
    event.preventDefault();
    document.querySelector("#ask textarea").focus();
  }
});

// Enter asks nothing while the box is blank, and leaves it as it is while an answer is under way.
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Enter" || event.shiftKey || !event.target.matches?.("#ask textarea")) return;
    if (!event.target.value.trim() || document.querySelector("#ask .stop-button")) {
      event.preventDefault();
      event.stopPropagation();
    }
  },
  true,
);

// Gradio copies a message as the HTML it was given. Right after it, put what people mean there: the text, [n] and sources.
document.addEventListener("click", (event) => {
  const row = event.target.closest?.("#chat .message-buttons")?.previousElementSibling;
  const answer = row?.querySelector(".answer");
  if (answer && event.target.closest("button")) navigator.clipboard.writeText(plain(answer));
});

function plain(answer) {
  const copy = answer.cloneNode(true);
  for (const mark of copy.querySelectorAll("a.mark")) mark.textContent = ` [${mark.textContent}]`;
  for (const number of copy.querySelectorAll(".number")) number.textContent = `[${number.textContent}]`;
  const lines = (selector, text) => [...copy.querySelectorAll(selector)].map(text);
  document.body.append(copy); // innerText knows lines and list items only of what is in the document.
  const text = copy.querySelector(".text")?.innerText.trim() ?? "";
  copy.remove();
  const sources = lines("a.source", (card) => [...card.children].map((each) => each.textContent).join(" ")).join("\n");
  const notes = lines(".note, .failure, .badge", (each) => each.textContent).join("\n");
  return [text, sources, notes].filter(Boolean).join("\n\n");
}

// Gradio names each message by its raw HTML, says "list" where no items are, and puts a nameless button in a button.
function mend() {
  if (shown) highlight();
  for (const each of document.querySelectorAll("#chat [data-testid][aria-label]")) each.removeAttribute("aria-label");
  for (const each of document.querySelectorAll("#chat .examples[role=list]")) {
    each.setAttribute("role", "group");
    each.setAttribute("aria-label", "Example questions");
  }
  for (const title of document.querySelectorAll("#chat .title[role=button]")) {
    const chevron = title.querySelector("button");
    if (chevron) chevron.inert = true;
    const unfolded = String(Boolean(title.parentElement.querySelector(".thinking")));
    if (title.getAttribute("aria-expanded") !== unfolded) title.setAttribute("aria-expanded", unfolded);
  }
  document.querySelector("#chat .placeholder-content[role]")?.removeAttribute("role");
  document.querySelector("#ask textarea:not([aria-label])")?.setAttribute("aria-label", "Your question");
  for (const [name, label] of [["submit", "Ask"], ["stop", "Stop"]]) {
    const button = document.querySelector(`#ask .${name}-button:not([aria-label])`);
    if (button) {
      button.setAttribute("aria-label", label);
      button.title = label;
    }
  }
}

new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
mend();
