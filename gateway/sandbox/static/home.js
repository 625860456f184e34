// Shows what the stand-in knows: one citizen's chat and all cases. The server sends the whole picture at each change.
const $ = (id) => document.getElementById(id);
const WAYS = { passive: "即时回复", custom: "客服消息", template: "模板消息", fault: "平台提示" };
let seen = { people: [], cases: [], counts: {} };

const make = (tag, text, name) => {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (name) element.className = name;
  return element;
};

const post = (path, body) => fetch(path, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});

const me = () => seen.people.find((person) => person.openid === $("citizen").value);

function showChat() {
  const person = me();
  if (!person) return;
  const chat = $("chat");
  const shown = chat.dataset.openid === person.openid ? chat.children.length : 0;
  if (!shown) chat.replaceChildren();
  chat.dataset.openid = person.openid;
  for (const line of person.lines.slice(shown)) {
    const item = make("li", line.text, line.who);
    if (WAYS[line.way]) item.append(make("small", WAYS[line.way]));
    chat.append(item);
  }
  if (person.lines.length > shown) chat.scrollTop = chat.scrollHeight;
  $("follow").textContent = person.following ? "取消关注" : "关注";
  $("quota").textContent = person.left ? `公众号现在还可主动发 ${person.left} 条客服消息` : "公众号现在不能主动发消息，除非市民再说话";
}

function caseItem(found) {
  const item = make("li");
  const row = make("div", "", "row");
  row.append(make("h3", found.title), make("span", found.stage_label, "stage"));
  const facts = make("dl");
  const told = [["单号", found.case_no], ["类型", found.kind_label], ["领域", found.field],
    ["承办", found.unit], ["应于", found.deadline_at]];
  for (const [name, value] of told) {
    if (!value) continue;
    const pair = make("div");
    pair.append(make("dt", name), make("dd", value));
    facts.append(pair);
  }
  const events = make("ol", "", "events");
  for (const event of found.events) events.append(make("li", `${event.at} ${event.actor} ${event.label}${event.note ? "：" + event.note : ""}`));
  item.append(row, facts, events);
  if ($("cases").dataset.advance && found.next) {
    const button = make("button", `推进一步：${found.next}`);
    button.type = "button";
    button.addEventListener("click", async () => {
      const answer = await post("/_sim/advance", { case_no: found.case_no });
      $("said").textContent = (await answer.json()).said;
    });
    item.append(button);
  }
  return item;
}

function showCases() {
  $("none").hidden = seen.cases.length > 0;
  $("count").textContent = seen.cases.length ? `${seen.cases.length} 件` : "";
  $("cases").replaceChildren(...seen.cases.map(caseItem));
}

$("citizen").addEventListener("change", () => { $("chat").dataset.openid = ""; showChat(); });
$("follow").addEventListener("click", () => post("/_sim/act", {
  openid: $("citizen").value, event: me()?.following ? "unsubscribe" : "subscribe",
}));
for (const button of document.querySelectorAll(".menu button")) {
  button.addEventListener("click", () => post("/_sim/act", { openid: $("citizen").value, event: "CLICK", key: button.dataset.key }));
}
$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  post("/_sim/say", { openid: $("citizen").value, text });
});

new EventSource("/_sim/events").addEventListener("message", (event) => {
  const before = JSON.stringify(seen.cases);
  seen = JSON.parse(event.data);
  showChat();
  if (JSON.stringify(seen.cases) !== before) showCases();
});
