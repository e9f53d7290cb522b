# GitLab, project or group webhooks. Pipeline events of a branch or tag: failed
# opens an alert for the project and the ref, success ends it; other statuses
# are steps on the way. Alerts of GitLab's own monitoring come as object_kind
# alert. Deployments that failed and issues of type incident are told, too.
if .object_kind == "pipeline" then
  if .object_attributes.status == "failed" or .object_attributes.status == "success" then
    {
      status: (if .object_attributes.status == "failed" then "firing" else "resolved" end),
      title: (.project.path_with_namespace | if . == null then null else "pipeline of \(.)" end),
      key: "pipeline-\(.project.id)-\(.object_attributes.ref)",
      severity: "warning",
      state: .object_attributes.status,
      output: (["ref: \(.object_attributes.ref)"] + [.builds[]? | select(.status == "failed" and (.allow_failure | not)) | "\(.stage): \(.name) failed" + (if (.failure_reason // "") == "" then "" else " (\(.failure_reason))" end)]
        + [(.commit.title? // .commit.message? // empty) | split("\n")[0] | "commit: " + .]
        + [(.user.username? // empty) | "by: " + .] | join("\n")),
      link: (.object_attributes.url // "\(.project.web_url)/-/pipelines/\(.object_attributes.id)"),
      labels: {project: .project.path_with_namespace, ref: .object_attributes.ref, pipeline_source: .object_attributes.source}
    }
  else empty end
elif .object_kind == "deployment" and .status == "failed" then
  {
    text: "deployment \(.deployable_id) of \(.short_sha) to \(.environment) failed",
    title: (.project.path_with_namespace | if . == null then null else "deployment of \(.)" end),
    link: .deployable_url,
    labels: {project: .project.path_with_namespace, environment: .environment}
  }
elif .object_kind == "issue" and .object_attributes.type == "Incident" then
  {
    status: (if .object_attributes.state == "closed" then "resolved" else "firing" end),
    title: .object_attributes.title,
    key: "issue-\(.project.id)-\(.object_attributes.iid)",
    severity: (.object_attributes.severity // "unknown"),
    output: (.object_attributes.description // ""),
    link: .object_attributes.url,
    labels: {project: .project.path_with_namespace}
  }
elif .object_kind == null then error("object_kind is missing; is this a webhook of GitLab?")
else empty end
