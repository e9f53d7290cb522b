# Jenkins, Notification plugin, format JSON. A build that COMPLETED with FAILURE
# opens an alert for its job, UNSTABLE one that is a warning, SUCCESS ends it;
# ABORTED and NOT_BUILT say nothing. FINALIZED repeats what COMPLETED said.
(.build // error("build is missing; is this the Notification plugin's JSON?")) as $b
| if $b.phase == "COMPLETED" and ($b.status == "FAILURE" or $b.status == "UNSTABLE" or $b.status == "SUCCESS") then
    {
      status: (if $b.status == "SUCCESS" then "resolved" else "firing" end),
      title: (.display_name // .name | if . == null then null else "job \(.)" end),
      key: "job-\(.url // .name)",
      severity: (if $b.status == "UNSTABLE" then "warning" else "critical" end),
      state: $b.status,
      output: (["build \($b.display_name // "#\($b.number)")\(if ($b.duration // 0) > 0 then " after \($b.duration / 1000 | floor) s" else "" end)"]
        + [$b.scm.branch? // empty | "branch: " + .] + [$b.scm.commit? // empty | "commit: " + .[0:12]]
        + [$b.test_summary? // empty | objects | select((.failed // 0) > 0) | "tests failed: \(.failed) of \(.total)"]
        + [$b.notes? // empty | select(. != "")] + [$b.log? // empty | select(. != "")] | join("\n")),
      link: $b.full_url,
      at: $b.timestamp,
      labels: {job: .name, branch: ($b.scm.branch? // null)}
    }
  elif $b.phase == null then error("build.phase is missing; is this the Notification plugin's JSON?")
  else empty end
