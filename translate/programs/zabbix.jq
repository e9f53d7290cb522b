# Zabbix, media type Webhook, with parameters named as in Zabbix's own webhooks
# (docs/translate.md has the script): event_value 1 is a problem, 0 its end;
# event_update_status 1 is an update of either, event_update_action says what.
if (.event_source // "0" | tostring) != "0" then
  {text: (.alert_message // .message), title: (.alert_subject // .subject // "Zabbix")}
else
  (.event_update_status // "0" | tostring) as $update
  | (.event_value // "1" | tostring) as $value
  | ("\(.event_update_action // "") " | ascii_downcase) as $action
  | {
      status: (
        if $value == "0" then "resolved"
        elif $update == "1" and ($action | test("unacknowledged")) then "unacknowledged"
        elif $update == "1" and ($action | test("acknowledged")) then "acknowledged"
        elif $value == "1" then "firing"
        else error("event_value is \($value | tojson); 1 or 0 is known") end),
      title: .event_name,
      host: .host_name,
      key: "trigger-\(.trigger_id)",
      problem: .event_id,
      severity: ({"0": "unknown", "1": "info", "2": "warning", "3": "average", "4": "high", "5": "disaster"}[.event_nseverity | tostring] // .event_severity),
      state: (if $value == "0" then "RESOLVED" else .event_severity end),
      output: (.event_opdata // .alert_message // ""),
      author: (if $update == "1" then .event_update_user else null end),
      comment: (if $update == "1" then .event_update_message else null end),
      link: (if (.zabbix_url // "") == "" then null
        else "\(.zabbix_url | sub("/+$"; ""))/tr_events.php?triggerid=\(.trigger_id)&eventid=\(.event_id)" end),
      labels: ([(.event_tags // "[]" | if type == "string" then (fromjson? // []) else . end)[]?
        | objects | select((.tag // "") != "") | {key: .tag, value: (.value // "")}] | from_entries)
    }
end
