// Who answers: choosing a model, getting one with progress.

import { dialog, found, say, send, trying, whileBusy } from "./base.js";

const models = dialog("models", "Models", '<form class="choices"></form>');
const form = models.querySelector("form");

let isNew = false; // Just opened: the focus goes to the choice.

const refresh = whileBusy(async () => {
  const response = await send("/models");
  const html = await response.text();
  const busy = response.headers.get("X-Busy") === "1";
  const focused = document.activeElement?.value;
  form.innerHTML = html;
  if (isNew) form.querySelector("input:checked")?.focus();
  else if (focused) form.querySelector(`[value="${CSS.escape(focused)}"]`)?.focus();
  isNew = false;
  return busy && models.open;
});

form.addEventListener("change", () => {
  const chosen = Object.fromEntries(new FormData(form));
  trying(async () => {
    await send("/models/choice", { method: "POST", json: chosen });
    say("Kept for the next questions.");
    await refresh();
  });
});

form.addEventListener("click", (event) => {
  const button = event.target.closest(".pull, .cancel");
  if (!button) return;
  const what = button.classList.contains("pull") ? "pull" : "cancel";
  trying(async () => {
    await send(`/models/${what}`, { method: "POST", json: { name: button.value } });
    await refresh();
  });
});

form.addEventListener("submit", (event) => event.preventDefault());

(await found("#to-models")).addEventListener("click", () => {
  models.showModal();
  isNew = true;
  refresh();
});
