// The newest question stands at the top and its answer grows below it; nothing moves while somebody reads.

let questions = 0;
let held = null;

const last = () => [...document.querySelectorAll("#chat .user-row")].at(-1);

// So much room below that the question can stand at the top, however short its answer.
function makeRoom(row) {
  const content = row.closest(".message-wrap");
  const room = row.offsetTop - content.offsetTop + row.closest(".bubble-wrap").clientHeight;
  content.style.minHeight = `${room}px`;
}

/** Bring a question that was just asked to the top, and hold it there until it is answered or somebody scrolls. */
export function toTop(row = last()) {
  held = row;
  makeRoom(row);
  const scroller = row.closest(".bubble-wrap");
  const isFirst = row === document.querySelector("#chat .user-row");
  const top = row.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
  scroller.scrollTop = isFirst ? 0 : top + 2; // The line between two answers is left just out of sight.
}

/** Bring the question of an answer to the top. */
export function toTopOf(answer) {
  const rows = [...document.querySelectorAll("#chat .user-row")];
  const before = (row) => row.compareDocumentPosition(answer) & Node.DOCUMENT_POSITION_FOLLOWING;
  toTop(rows.findLast(before));
}

/** Look whether there is a new question. */
export function showNewest() {
  const all = document.querySelectorAll("#chat .question").length;
  if (all > questions) toTop();
  else if (held?.isConnected) toTop(held);
  else if (all < questions && all) makeRoom(last());
  questions = all;
  if (document.querySelector("#ask .submit-button")) held = null;
}

for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"]) {
  document.addEventListener(kind, () => (held = null), { capture: true, passive: true });
}

addEventListener("resize", () => {
  if (last()) makeRoom(last());
});
