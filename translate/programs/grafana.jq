# Grafana's alerting, contact point Webhook (version "1" of its payload): one
# alert for each of alerts[], followed by its own fingerprint.
.alerts[]
| {
    status: .status,
    title: .labels.alertname,
    host: (.labels.instance // .labels.host),
    key: .fingerprint,
    severity: (.labels.severity // (if .labels.alertname == "DatasourceError" or .labels.alertname == "DatasourceNoData" then "unknown" else null end)),
    output: ([.annotations.summary?, .annotations.description?,
        (.annotations.runbook_url? | strings | "runbook: " + .),
        (if .annotations.summary? == null and .annotations.description? == null then .valueString? else null end)]
      | map(select(. != null and . != ""))
      | reduce .[] as $line ([]; if index($line) then . else . + [$line] end) | join("\n")),
    link: ([.dashboardURL?, .panelURL?, .generatorURL?] | map(select(. != null and . != "")) | first),
    labels: .labels,
    problem: (if .status == "firing" then .startsAt else null end),
    at: (if .status == "resolved" then .endsAt else .startsAt end)
  }
