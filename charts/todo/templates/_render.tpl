{{/*
The manifests of knative/ and dapr/, as they are but for what values say. `files/knative` and `files/dapr` are symbolic links, which helm
follows when it loads or packages the chart: there is no second copy.
*/}}

{{/* Every document of the files that a pattern names, as {"items": […]} in JSON. The namespace in addresses becomes the release's. */}}
{{- define "todo.documents" -}}
{{- $items := list -}}
{{- range $path, $_ := .root.Files.Glob .files -}}
  {{- if ne (base $path) "kustomization.yaml" -}}
    {{- $text := $.root.Files.Get $path | replace ".todo.svc.cluster.local" (printf ".%s.svc.cluster.local" $.root.Release.Namespace) -}}
    {{- range regexSplit "(?m)^---\\s*$" $text -1 -}}
      {{- $document := fromYaml . -}}
      {{- if hasKey $document "Error" }}{{ fail (printf "%s: %s" $path $document.Error) }}{{ end -}}
      {{- if $document }}{{ $items = append $items $document }}{{ end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if not $items }}{{ fail (printf "the chart has no file %s: it was packaged where symbolic links are not kept" .files) }}{{ end -}}
{{- dict "items" $items | toJson -}}
{{- end -}}

{{- define "todo.labels" -}}
app.kubernetes.io/part-of: todo
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "todo.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end -}}

{{/* What every container of ours may not. */}}
{{- define "todo.confined" -}}
runAsNonRoot: true
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* Changes one document as values say and prints it: {"root", "document"}. */}}
{{- define "todo.print" -}}
{{- $document := .document -}}
{{- $labels := merge (dict) (default dict $document.metadata.labels) (include "todo.labels" .root | fromYaml) -}}
{{- $_ := set $document.metadata "labels" $labels -}}
{{- $group := splitList "/" $document.apiVersion | first -}}
{{- if eq $group "serving.knative.dev" }}{{ include "todo.service" . }}{{ end -}}
{{- if eq $document.kind "ServiceAccount" }}{{ include "todo.account" . }}{{ end -}}
{{- if eq $document.kind "NetworkPolicy" }}{{ include "todo.policy" . }}{{ end -}}
{{- if has $document.kind (list "KafkaSource" "KafkaSink" "Broker") }}{{ include "todo.kafka" . }}{{ end -}}
{{- if eq $document.kind "Deployment" }}{{ include "todo.sidecar" . }}{{ end -}}
{{- if eq $document.kind "Configuration" }}{{ include "todo.tracing" . }}{{ end -}}
{{- if or .root.Values.network.enabled (ne $document.kind "NetworkPolicy") }}
---
{{ toYaml $document }}
{{- end -}}
{{- end -}}

{{- define "todo.account" -}}
{{- with .root.Values.serviceAccounts.annotations }}{{ $_ := set $.document.metadata "annotations" . }}{{ end -}}
{{- end -}}
