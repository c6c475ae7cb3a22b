// What all parts of the page need: asking the server, giving orders to the chat, menus and small dialogs.

export const SHEET = matchMedia("(max-width: 800px)");
const LOST = "The page has lost Aftershock: is it still running?";

/** The answer of the server, or an Error whose message is a sentence for the visitor. */
export async function send(path, { method = "GET", json, body } = {}) {
  const headers = json === undefined ? {} : { "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(path, { method, headers, body: json === undefined ? body : JSON.stringify(json) });
  } catch {
    throw new Error(LOST);
  }
  if (response.ok) return response;
  const text = await response.text();
  const said = new DOMParser().parseFromString(text, "text/html").querySelector(".failure");
  throw new Error(said ? said.textContent : `Refused (${response.status}).`);
}

/** The element, as soon as the page has it. */
export function found(selector) {
  return new Promise((resolve) => {
    const look = () => {
      const element = document.querySelector(selector);
      if (element) {
        observer.disconnect();
        resolve(element);
      }
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true });
    look();
  });
}

export function type(box, text) {
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value").set.call(box, text);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

let orders = 0;

/** Tell the chat what to do: see `Order` in page.py. */
export async function order(wanted) {
  const box = await found("#order textarea");
  orders += 1; // Two equal orders are two.
  type(box, JSON.stringify({ ...wanted, count: orders }));
  box.dispatchEvent(new KeyboardEvent("keypress", { key: "Enter", bubbles: true }));
}

export function element(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

const notices = element('<div id="notices" role="status" aria-live="polite"></div>');
document.body.append(notices);

/** A sentence that goes away by itself. */
export function say(sentence) {
  const line = document.createElement("p");
  line.textContent = sentence;
  notices.append(line);
  setTimeout(() => line.remove(), 15_000);
}

/** Run what may fail, and say so if it does. */
export async function trying(work) {
  try {
    return await work();
  } catch (error) {
    say(error.message);
    return undefined;
  }
}

/**
 * `ask`, and `take` what came of it, unless it was asked for once more meanwhile: answers come late and in any order, and
 * what was asked for before something was changed would undo that on the page.
 */
export function latest(ask, take) {
  let asked = 0;
  return async (...wanted) => {
    asked += 1;
    const number = asked;
    const got = await ask(...wanted);
    if (number === asked) take(got);
  };
}

/** Do one thing after another, in the order in which they were begun. */
export function inTurn() {
  let last = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
}

/**
 * Have an element hold this HTML, and leave alone what is in it already: where all were drawn anew, a click that had
 * begun would be lost, and the focus, and what is unfolded.
 */
export function refill(place, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  match(place, template.content);
  if (!focused) return;
  // Where that is gone: the first one like it, or where one begins.
  const alike = place.getElementsByClassName(focused.className)[0] ?? place.closest("dialog, aside")?.querySelector("button");
  const next = focused.isConnected ? focused : alike;
  if (next !== document.activeElement) next?.focus({ preventScroll: true });
}

const ITEM = "li, label, div, a, button, input";
const NAMED = "[data-id], [value], a[href]";

// What an element is about: two with the same name are the same one, then and now.
function nameOf(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return node.nodeName;
  const named = node.matches(ITEM) ? (node.matches(NAMED) ? node : node.querySelector(NAMED)) : null;
  const about = named && (named.dataset.id ?? named.getAttribute("value") ?? named.getAttribute("href"));
  return [node.nodeName, node.dataset.kind, about].join(" ");
}

function match(place, wanted) {
  const there = new Map();
  for (const node of place.childNodes) there.set(nameOf(node), [...(there.get(nameOf(node)) ?? []), node]);
  const nodes = [...wanted.childNodes].map((fresh) => [there.get(nameOf(fresh))?.shift() ?? fresh, fresh]);
  for (const node of [...there.values()].flat()) node.remove();
  nodes.forEach(([node, fresh], nth) => {
    if (place.childNodes[nth] !== node) place.insertBefore(node, place.childNodes[nth] ?? null);
    if (node === fresh) return;
    if (node.nodeType !== Node.ELEMENT_NODE) {
      if (node.data !== fresh.data) node.data = fresh.data;
      return;
    }
    for (const { name } of [...node.attributes]) {
      if (!fresh.hasAttribute(name) && !(name === "open" && node.matches("details"))) node.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    if (node.matches("input")) node.checked = fresh.checked;
    match(node, fresh);
  });
}

export function download(path) {
  const link = document.createElement("a");
  link.href = path;
  link.download = "";
  link.click();
}

/** A dialog of ours: a heading, a way out, and a body. */
export function dialog(id, heading, body) {
  const made = element(`
    <dialog id="${id}" class="panel" aria-labelledby="${id}-heading">
      <div class="bar">
        <h2 id="${id}-heading">${heading}</h2>
        <button type="button" class="close" aria-label="Close" title="Close (Esc)">×</button>
      </div>
      <div class="body">${body}</div>
    </dialog>`);
  document.body.append(made);
  made.addEventListener("click", (event) => {
    if (event.target === made || event.target.closest(".close")) made.close();
  });
  return made;
}

const asking = element(`
  <dialog id="asking" class="panel" aria-labelledby="asking-heading">
    <form method="dialog">
      <h2 id="asking-heading"></h2>
      <textarea rows="2"></textarea>
      <p class="buttons">
        <button type="submit" value="no" class="quiet" formnovalidate>Cancel</button>
        <button type="submit" value="yes" class="yes"></button>
      </p>
    </form>
  </dialog>`);
document.body.append(asking);

const oneByOne = inTurn();

/** What the visitor types, or "" for yes where there is nothing to type; undefined for no. */
export const ask = (heading, yes, text) => oneByOne(() => askNow(heading, yes, text));

function askNow(heading, yes, text) {
  const box = asking.querySelector("textarea");
  asking.querySelector("h2").textContent = heading;
  asking.querySelector(".yes").textContent = yes;
  box.hidden = text === undefined;
  box.setAttribute("aria-label", heading);
  box.value = text ?? "";
  asking.returnValue = "no";
  asking.showModal();
  (box.hidden ? asking.querySelector(".quiet") : box).focus();
  return new Promise((resolve) => {
    asking.addEventListener("close", () => resolve(asking.returnValue === "yes" ? box.value : undefined), {
      once: true,
    });
  });
}

asking.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) {
    event.preventDefault();
    asking.close("yes");
  }
});

let openMenu = null;

export function closeMenu() {
  openMenu?.remove();
  openMenu = null;
}

/** A menu at an element: `items` are pairs of a label and what to do. Returns what adds more of them. */
export function menu(anchor, label, items) {
  closeMenu();
  const list = element(`<div class="menu" role="menu"></div>`);
  list.setAttribute("aria-label", label);
  const at = anchor.getBoundingClientRect();
  const add = (more) => {
    for (const [name, act] of more) {
      const item = element('<button type="button" role="menuitem"></button>');
      item.textContent = name;
      item.addEventListener("click", () => {
        closeMenu();
        if (anchor.isConnected) anchor.focus();
        act();
      });
      list.append(item);
    }
    list.style.left = `${Math.max(8, Math.min(at.left, innerWidth - list.offsetWidth - 8))}px`;
    const above = at.bottom + list.offsetHeight + 8 > innerHeight;
    list.style.top = `${Math.max(8, above ? at.top - list.offsetHeight - 4 : at.bottom + 4)}px`;
  };
  // In a modal dialog only what is inside it can be used.
  (anchor.closest("dialog:modal") ?? document.body).append(list);
  add(items);
  openMenu = list;
  list.firstElementChild.focus();
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = [...list.children];
    if (step) {
      event.preventDefault();
      all.at((all.indexOf(document.activeElement) + step) % all.length).focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      closeMenu();
      if (anchor.isConnected) anchor.focus();
    }
  });
  return add;
}

document.addEventListener("pointerdown", (event) => {
  if (openMenu && !openMenu.contains(event.target)) closeMenu();
});

/**
 * Call `work` now, and again and again as long as it says that there is more to come. A call while it runs has it look
 * once more: what it is about may have begun after the last look.
 */
export function whileBusy(work) {
  let running = false;
  let again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    try {
      while (again) {
        again = false;
        while (await work()) await new Promise((resolve) => setTimeout(resolve, 400));
      }
    } catch (error) {
      say(error.message);
    } finally {
      running = false;
    }
  };
}
