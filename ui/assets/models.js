// Who answers: choosing a model, getting one with progress.

import { dialog, found, inTurn, refill, say, send, trying, whileBusy } from "./base.js";

const models = dialog("models", "Models", '<form class="choices"></form>');
const form = models.querySelector("form");

let isNew = false; // Just opened: the focus goes to the choice.
let chosen = 0; // How often something was chosen.
const oneByOne = inTurn(); // One choice is kept after another, or an earlier one could arrive last.
let saving = 0; // How many are not kept yet.

const refresh = whileBusy(async () => {
  const before = chosen;
  const response = await send("/models");
  const html = await response.text();
  const busy = response.headers.get("X-Busy") === "1";
  // What was asked before a choice arrived would undo it here, and with it the next one. Each looks again when kept.
  if (saving || before !== chosen) return busy && models.open;
  refill(form, html);
  if (isNew) form.querySelector("input:checked")?.focus();
  isNew = false;
  return busy && models.open;
});

form.addEventListener("change", ({ target: { name, value } }) => {
  chosen += 1;
  saving += 1;
  oneByOne(async () => {
    await trying(async () => {
      // Nothing but what was chosen: the rest may have been chosen otherwise in another tab.
      await send("/models/choice", { method: "POST", json: { [name]: value } });
      say("Kept for the next questions.");
    });
    saving -= 1;
    refresh();
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
