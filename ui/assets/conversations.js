// The list of conversations, and which one is open: its address in the browser is a link that opens it again.

import { SHEET, ask, download, element, found, latest, menu, order, refill, say, send, trying } from "./base.js";

const side = element(`
  <aside id="side" aria-label="Conversations and settings">
    <div class="row">
      <button type="button" id="new">New chat</button>
      <button type="button" class="close" aria-label="Close the list" title="Close (Esc)">×</button>
    </div>
    <input type="search" id="find" placeholder="Search conversations" aria-label="Search conversations">
    <nav aria-label="Conversations"></nav>
    <div class="foot">
      <button type="button" id="to-library">Articles</button>
      <button type="button" id="to-timeline">Timeline</button>
      <button type="button" id="to-models">Models</button>
      <button type="button" id="to-ratings">Save ratings</button>
    </div>
  </aside>`);
const toggle = element(
  '<button type="button" id="menu" aria-controls="side" aria-expanded="false" aria-label="Menu" title="Menu"></button>',
);
const fresh = element('<button type="button" id="fresh" aria-label="New chat" title="New chat">+</button>');
const shade = element('<div id="shade" hidden></div>');
document.body.prepend(toggle, fresh, side, shade);

const list = side.querySelector("nav");
const search = side.querySelector("#find");
let open = ""; // The conversation on show.
let renewed = ""; // Its new id, after its link was withdrawn.

export const current = () => open;

const refresh = latest(
  async () => (await send(`/conversations?q=${encodeURIComponent(search.value)}`)).text(),
  (html) => {
    refill(list, html);
    mark();
  },
);

function mark() {
  for (const item of list.querySelectorAll("li")) {
    const link = item.querySelector("a");
    item.classList.toggle("current", item.dataset.id === open);
    if (item.dataset.id === open) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function fold(folded) {
  side.classList.toggle("open", !folded);
  shade.hidden = folded;
  toggle.setAttribute("aria-expanded", String(!folded));
  side.inert = folded && SHEET.matches;
  if (!folded) side.querySelector("#new").focus();
}

toggle.addEventListener("click", () => fold(false));
shade.addEventListener("click", () => fold(true));
SHEET.addEventListener("change", () => fold(true));
fold(true);

side.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && side.classList.contains("open")) {
    fold(true);
    toggle.focus();
  }
});

side.addEventListener("click", (event) => {
  const link = event.target.closest("a.conversation");
  const more = event.target.closest("button.more");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    fold(true);
    go({ do: "open", id: link.closest("li").dataset.id });
  } else if (more) {
    manage(more, more.closest("li"));
  } else if (event.target.closest("#new")) {
    fold(true);
    begin();
  } else if (event.target.closest(".close")) {
    fold(true);
    toggle.focus();
  } else if (event.target.closest("#to-ratings")) {
    download("/ratings.jsonl");
  }
});

// To another conversation.
function go(wanted) {
  document.dispatchEvent(new Event("leaving"));
  order(wanted);
}

function begin() {
  go({ do: "new" });
  document.querySelector("#ask textarea").focus();
}

fresh.addEventListener("click", begin);

function manage(button, item) {
  const { id } = item.dataset;
  const title = item.querySelector(".title").textContent;
  menu(button, `More about ${title}`, [
    ["Rename", () => rename(id, title)],
    ["Copy link", () => navigator.clipboard.writeText(`${location.origin}/?c=${id}`)],
    ["Withdraw link", () => withdraw(id, title)],
    ["Save as Markdown", () => download(`/conversations/${id}.md`)],
    ["Save as JSON", () => download(`/conversations/${id}.json`)],
    ["Delete for good", () => remove(id, title)],
  ]);
}

async function rename(id, title) {
  const given = await ask("Rename this conversation", "Rename", title);
  if (given === undefined) return;
  await trying(async () => {
    await send(`/conversations/${id}/title`, { method: "POST", json: { title: given } });
    await refresh();
  });
}

async function withdraw(id, title) {
  const heading = `Withdraw the link to “${title}”? It will open nothing any more. The conversation stays, with a new one.`;
  if ((await ask(heading, "Withdraw")) === undefined) return;
  await trying(async () => {
    const made = await (await send(`/conversations/${id}/link`, { method: "POST" })).json();
    if (id === open) {
      renewed = made;
      order({ do: "open", id: made });
    } else await refresh();
    say("The old link opens nothing any more.");
  });
}

async function remove(id, title) {
  if ((await ask(`Delete “${title}” for good?`, "Delete")) === undefined) return;
  await trying(async () => {
    await send(`/conversations/${id}`, { method: "DELETE" });
    if (id === open) go({ do: "new" });
    await refresh();
  });
}

search.addEventListener("input", () => trying(refresh));

let told = "";

function follow(opened) {
  const said = opened.querySelector("[data-testid=markdown]").textContent.trim(); // Beside it Gradio counts seconds.
  if (said === told) return;
  told = said;
  const [now] = said.match(/[0-9a-f]{32}/) ?? [""];
  if (now !== open) {
    open = now;
    const address = now ? `?c=${now}` : location.pathname;
    // A conversation gets its id with its first question: that is no step to go back from.
    if (now && now === renewed) history.replaceState(null, "", address);
    else if (now && new URLSearchParams(location.search).get("c") !== now) history.pushState(null, "", address);
    else if (!now && location.search) history.pushState(null, "", address);
  }
  trying(refresh);
}

addEventListener("popstate", () => {
  const id = new URLSearchParams(location.search).get("c");
  go(id ? { do: "open", id } : { do: "new" });
});

async function start() {
  // A page opened by a link from elsewhere comes without its cookie; from here it goes along.
  await trying(() => send("/visitor", { method: "POST" }));
  const opened = await found("#opened");
  new MutationObserver(() => follow(opened)).observe(opened, { childList: true, characterData: true, subtree: true });
  const wanted = new URLSearchParams(location.search).get("c");
  if (wanted) order({ do: "open", id: wanted });
  trying(refresh);
}

start();
