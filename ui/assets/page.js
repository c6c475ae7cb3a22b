// The page's own parts around Gradio's chat, and what that lacks for keyboards and screen readers.

import { showNewest } from "./newest.js";
import { highlight } from "./reader.js";
import "./conversations.js";
import "./answers.js";
import "./library.js";
import "./models.js";
import "./timeline.js";

// Gradio names each message by its raw HTML, says "list" where no items are, and puts a nameless button in a button.
function mend() {
  document.body.classList.toggle("streaming", Boolean(document.querySelector("#ask .stop-button")));
  highlight();
  showNewest();
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
  for (const link of document.querySelectorAll('a[href^="#do?"]:not([role])')) link.setAttribute("role", "button");
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

// Once a frame: a streaming answer changes the page many times in between.
let waiting = 0;
new MutationObserver(() => {
  waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    mend();
  });
}).observe(document.body, { childList: true, subtree: true });
mend();
