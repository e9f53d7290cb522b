# Uptime Kuma, notification type Webhook, content type JSON or form-data:
# {heartbeat, monitor, msg}. A test sends msg alone; a certificate that ends
# soon too. Status: 0 down, 1 up, 2 pending, 3 maintenance.
if .heartbeat == null then
  {text: .msg, title: (.monitor.name? // "Uptime Kuma")}
elif .heartbeat.status == 0 or .heartbeat.status == 1 then
  {
    status: (if .heartbeat.status == 0 then "firing" else "resolved" end),
    title: .monitor.name,
    key: "monitor-\(.heartbeat.monitorID // .monitor.id)",
    severity: "critical",
    state: (if .heartbeat.status == 0 then "DOWN" else "UP" end),
    output: (.heartbeat.msg // .msg),
    link: ((.monitor.url | strings | select(test("^https?://."))) // null),
    at: ((.heartbeat.time // "") | if . == "" or test("Z$|[+-][0-9][0-9]:[0-9][0-9]$") then . else "\(.[0:19] | sub(" "; "T"))Z" end),
    labels: ({type: .monitor.type}
      + ([.monitor.tags[]? | objects | select(.name != null) | {key: "tag_\(.name)", value: (.value // "")}] | from_entries))
  } | with_entries(select(.value != null))
elif .heartbeat.status == 2 or .heartbeat.status == 3 then
  empty
else
  error("heartbeat.status is \(.heartbeat.status | tojson); 0, 1, 2 or 3 is known")
end
