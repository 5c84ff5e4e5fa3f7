// What a bubble offers: another answer, a reaction, a report, a copy; on one's own last message, a correction.
import { openMenu } from "./menu.js";
import { h, t } from "./text.js";

const REACTIONS = ["❤️", "😂", "😮", "😢", "👍", "👎"];
const REASONS = ["unkind", "unsafe", "wrong", "other"];

function reactions({ node, log, line, done }) {
  const now = node.dataset.reaction ?? "";
  return h("div", { class: "emoji", role: "group", "aria-label": t("react") }, REACTIONS.map((emoji) => h("button", {
    type: "button",
    "aria-pressed": String(now === emoji),
    on: {
      click: () => {
        const next = now === emoji ? "" : emoji;
        if (line.send({ type: "react", message: node.dataset.id, emoji: next })) log.reaction(node, next);
        done();
      },
    },
  }, emoji)));
}

function reasons({ node, anchor, line }) {
  openMenu(anchor, t("report"), [
    h("p", {}, t("report_why")),
    ...REASONS.map((reason) => ({
      name: "flag", words: t(`reason_${reason}`), act: () => line.send({ type: "report", message: node.dataset.id, reason }),
    })),
  ]);
}

export function messageMenu({ node, anchor, log, line, composer, busy, again }) {
  const copy = navigator.clipboard && { name: "copy", words: t("copy"), act: () => navigator.clipboard.writeText(log.text(node)) };
  if (node.matches(".msg-user")) {
    openMenu(anchor, t("message_menu"), [
      !busy && { name: "edit", words: t("edit"), keepsFocus: true, act: () => composer.edit(node.dataset.id, log.text(node)) },
      copy,
    ]);
    return;
  }
  const done = () => anchor.click();
  openMenu(anchor, t("message_menu"), [
    node.dataset.id && reactions({ node, log, line, done }),
    !busy && log.last("companion") === node && node.dataset.turn && !node.matches("[data-last]") && { name: "again", words: t("again"), act: () => again(node) },
    copy,
    node.dataset.id && { name: "flag", words: t("report"), keepsFocus: true, act: () => reasons({ node, anchor, line }) },
  ]);
}
