// What can be done with an answer: the links under it, and the question box while a question is edited.

import { current } from "./conversations.js";
import { toTopOf } from "./newest.js";
import { ask, closeMenu, download, element, menu, order, say, send, trying, type } from "./base.js";

const ACTION = 'a[href^="#do?"]';
const box = () => document.querySelector("#ask textarea");

document.addEventListener(
  "click",
  (event) => {
    const link = event.target.closest?.(ACTION);
    if (!link) return;
    event.preventDefault();
    const said = new URLSearchParams(link.getAttribute("href").slice("#do?".length));
    actions[said.get("do")]?.(said, link);
  },
  true,
);

document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches?.(ACTION)) {
    event.preventDefault();
    event.target.click();
  }
});

const actions = {
  ask: (said) => order({ do: "ask", question: said.get("question"), alone: true }), // It stands for itself.
  again,
  copy: (said, link) => copy(link),
  edit: (said) => edit(Number(said.get("turn"))),
  models: (said, link) => trying(() => choose(said, link)),
  save: (said, link) =>
    menu(link, "Save this answer", [
      ["As Markdown", () => download(`/conversations/${current()}.md?turn=${said.get("turn")}`)],
      ["As JSON", () => download(`/conversations/${current()}.json?turn=${said.get("turn")}`)],
    ]),
  rate: (said, link) => trying(() => rate(said, link)),
};

function again(said, link, more = {}) {
  toTopOf(link);
  order({
    do: "again",
    id: current(),
    turn: Number(said.get("turn")),
    model: said.get("model") ?? "",
    ignore: said.getAll("ignore"),
    alone: said.has("alone"),
    ...more,
  });
}

// The menu opens at once, and the models are added when they are known: late, it would come in the way of what is done then.
async function choose(said, link) {
  const add = menu(link, "Ask again", [
    ["The same way", () => again(said, link)],
    ["In the articles’ own words", () => again(said, link, { model: "quotes" })],
  ]);
  const names = await (await send("/models/names")).json();
  add(names.map((name) => [`With ${name.replace("ollama:", "")}`, () => again(said, link, { model: name })]));
}

async function rate(said, link) {
  const thumb = link.classList.contains("chosen") ? null : said.get("thumb");
  const path = `/conversations/${current()}/turns/${said.get("turn")}/thumb`;
  await send(path, { method: "POST", json: { thumb } });
  for (const each of link.closest(".actions").querySelectorAll(".chosen")) each.classList.remove("chosen");
  if (!thumb) return;
  link.classList.add("chosen");
  const note = await ask("Thank you. What was good or bad about it? (You may leave this empty.)", "Keep", "");
  if (note) {
    await send(path, { method: "POST", json: { thumb, note } });
    say("Your note is kept on this computer.");
  }
}

let editing = 0; // The number of the question that is being edited.
const bar = element('<p id="editing"><span></span> <button type="button">Cancel</button></p>');
bar.querySelector("button").addEventListener("click", () => endEditing());

function edit(turn) {
  editing = turn;
  const question = document.querySelectorAll("#chat .question")[turn - 1];
  bar.querySelector("span").textContent = "Your new question replaces this one and all that follows it.";
  document.querySelector("#ask").before(bar);
  type(box(), question.innerText);
  box().focus();
}

function endEditing() {
  editing = 0;
  bar.remove();
  type(box(), "");
  box().focus();
}

// In another conversation the question of that number is another one.
document.addEventListener("leaving", () => editing && endEditing());

// Asks nothing while the box is blank, and leaves it as it is while an answer is under way. The box is empty at once: what
// is typed from now on is the next question, and a second Enter asks nothing twice.
function submit(event) {
  event.preventDefault();
  event.stopPropagation();
  const question = box().value;
  const running = document.querySelector("#ask .stop-button");
  if (!question.trim() || (running && !editing)) return;
  if (editing) {
    order({ do: "again", id: current(), turn: editing, question });
    endEditing();
  } else {
    type(box(), "");
    order({ do: "ask", question });
    trying(() => orGiveBack(question));
  }
}

// Where the server has gone nobody hears of the question.
async function orGiveBack(question) {
  try {
    await send("/visitor", { method: "POST" });
  } catch (error) {
    if (!box().value) type(box(), question);
    throw error;
  }
}

document.addEventListener(
  "keydown",
  (event) => {
    if (!event.target.matches?.("#ask textarea")) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
    if (event.key === "Escape" && editing) endEditing();
  },
  true,
);

document.addEventListener(
  "click",
  (event) => {
    if (event.target.closest?.("#ask .submit-button")) submit(event);
    const example = event.target.closest?.("#chat .example");
    if (!example) return;
    event.stopPropagation();
    order({ do: "ask", question: example.textContent.trim() });
  },
  true,
);

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, textarea") && !document.querySelector("dialog:modal")) {
    event.preventDefault();
    closeMenu();
    box().focus();
  }
});

async function copy(link) {
  await navigator.clipboard.writeText(plain(link.closest(".answer")));
  say("Copied.");
}

// What people mean by the answer: the text, [n] and the sources.
function plain(answer) {
  const copied = answer.cloneNode(true);
  for (const mark of copied.querySelectorAll("a.mark")) mark.textContent = ` [${mark.textContent}]`;
  for (const flag of copied.querySelectorAll(".unsupported")) flag.textContent = `[${flag.textContent}]`;
  for (const number of copied.querySelectorAll(".number")) number.textContent = `[${number.textContent}]`;
  const lines = (selector, text) => [...copied.querySelectorAll(selector)].map(text);
  document.body.append(copied); // innerText knows lines and list items only of what is in the document.
  const text = copied.querySelector(".text")?.innerText.trim() ?? "";
  copied.remove();
  const sources = lines("a.source", (card) => [...card.children].map((each) => each.textContent).join(" ")).join("\n");
  const notes = lines(".note, .failure, .badge", (each) => each.textContent).join("\n");
  return [text, sources, notes].filter(Boolean).join("\n\n");
}
