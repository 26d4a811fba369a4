// The buttons above the image, and the flags of the selected box: whether they can be used, and are on.

import { guides } from "./board.js";
import { canEdit, canRedo, canUndo } from "./editing.js";
import { byId } from "./elements.js";
import { selectedBox, state } from "./state.js";

export function drawTools() {
  const isEditable = canEdit();
  byId("undo").disabled = !canUndo() && !(state.decisions > 0 && !byId("panel-review").hidden);
  byId("redo").disabled = !canRedo();
  byId("guides").setAttribute("aria-pressed", String(guides.on));
  byId("no-objects").disabled = !isEditable || state.boxes.length > 0;
  byId("no-objects").setAttribute("aria-pressed", String(state.exists && state.boxes.length === 0));
  byId("copy-on").disabled = !state.boxes.some((one) => one.box);
  const box = selectedBox();
  byId("flags").hidden = !state.project?.has_flags;
  for (const flag of ["difficult", "truncated"]) {
    byId(flag).checked = Boolean(box?.[flag]);
    byId(flag).disabled = !isEditable || !box?.box;
  }
}
