// The articles: browsing, searching, adding files and links, taking files out.

import { SHEET, ask, dialog, found, latest, refill, send, trying, whileBusy } from "./base.js";

const library = dialog(
  "library",
  "Articles",
  `<input type="search" id="shelf-words" placeholder="Search titles and texts" aria-label="Search the articles">
   <div class="adding">
     <p class="drop"><label for="files" class="quiet">Add files…</label><input type="file" id="files" multiple
       class="unseen"><span class="by-mouse"> or drop them here</span></p>
     <form><input type="url" placeholder="https:// address of a page or feed" aria-label="Address of a page or feed"
       required maxlength="2000"><button type="submit" class="quiet">Add link</button></form>
   </div>
   <div class="progress" aria-live="polite"></div>
   <div class="shelf"></div>`,
);
library.tabIndex = -1;
const part = (selector) => library.querySelector(selector);

const refresh = latest(
  async () => {
    const words = part("#shelf-words").value;
    return (await send(`/library?q=${encodeURIComponent(words)}`)).text();
  },
  (html) => refill(part(".shelf"), html),
);

let ended = ""; // How many additions had come to their end when the articles on show were asked for.
const watch = whileBusy(async () => {
  const response = await send("/library/additions");
  refill(part(".progress"), await response.text());
  if (ended !== response.headers.get("X-Ended")) {
    ended = response.headers.get("X-Ended");
    trying(refresh);
  }
  return response.headers.get("X-Busy") === "1";
});

async function add(files) {
  if (!library.open) show();
  for (const file of files) {
    await trying(() =>
      send(`/library/files?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file }),
    );
    watch();
  }
}

function show() {
  library.showModal();
  (SHEET.matches ? library : part("#shelf-words")).focus(); // On a phone the keyboard would cover the articles.
  trying(refresh);
  watch();
}

part("#shelf-words").addEventListener("input", () => trying(refresh));
part("#files").addEventListener("change", (event) => {
  add([...event.target.files]);
  event.target.value = "";
});

part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = part("input[type=url]");
  trying(async () => {
    await send("/library/links", { method: "POST", json: { address: field.value } });
    field.value = "";
    watch();
  });
});

library.addEventListener("click", async (event) => {
  if (event.target.closest(".dismiss")) {
    await trying(() => send("/library/dismiss", { method: "POST" }));
    watch();
  }
  const removed = event.target.closest(".remove-file, .remove-link");
  if (removed && (await ask(`Remove “${removed.value}” and what was read from it?`, "Remove")) !== undefined) {
    const kind = removed.matches(".remove-file") ? "files?name" : "links?address";
    await trying(() => send(`/library/${kind}=${encodeURIComponent(removed.value)}`, { method: "DELETE" }));
    watch();
  }
});

for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  add([...event.dataTransfer.files]);
});

(await found("#to-library")).addEventListener("click", show);
