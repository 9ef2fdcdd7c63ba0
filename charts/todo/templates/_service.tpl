{{/* A Knative Service: image, scale, environment, where its pods may be. */}}
{{- define "todo.service" -}}
{{- $values := .root.Values -}}
{{- $service := .document -}}
{{- $function := get $values.functions $service.metadata.name | default dict -}}
{{- $template := $service.spec.template -}}
{{- $spec := $template.spec -}}
{{- $container := first $spec.containers -}}
{{- $_ := set $container "image" (include "todo.image" .root) -}}
{{- $_ := set $container "imagePullPolicy" $values.image.pullPolicy -}}
{{- with $values.image.pullSecrets }}
  {{- $pull := list }}{{ range . }}{{ $pull = append $pull (dict "name" .) }}{{ end }}
  {{- $_ := set $spec "imagePullSecrets" $pull }}
{{- end -}}
{{- range $value, $annotation := dict "minScale" "min-scale" "maxScale" "max-scale" -}}
  {{- if hasKey $function $value }}{{ $_ := set $template.metadata.annotations (printf "autoscaling.knative.dev/%s" $annotation) (get $function $value | toString) }}{{ end -}}
{{- end -}}
{{- if hasKey $function "concurrency" }}{{ $_ := set $spec "containerConcurrency" $function.concurrency }}{{ end -}}
{{- if hasKey $function "timeoutSeconds" }}
  {{- $_ := set $spec "timeoutSeconds" $function.timeoutSeconds }}
  {{- $_ := set $spec "responseStartTimeoutSeconds" (min $spec.responseStartTimeoutSeconds $function.timeoutSeconds) }}
{{- end -}}
{{- with $function.resources }}{{ $_ := set $container "resources" (mergeOverwrite $container.resources .) }}{{ end -}}
{{- range $container.env -}}
  {{- if eq .name "TODO_ENVIRONMENT" }}{{ $_ := set . "value" $values.environment }}{{ end -}}
{{- end -}}
{{- range $name, $value := $function.env }}{{ $_ := set $container "env" (append $container.env (dict "name" $name "value" ($value | toString))) }}{{ end -}}
{{- $_ := set $template.metadata "labels" (merge $template.metadata.labels $values.pods.labels) -}}
{{- with $values.pods -}}
  {{- range $field := list "nodeSelector" "tolerations" "priorityClassName" -}}
    {{- with get $values.pods $field }}{{ $_ := set $spec $field . }}{{ end -}}
  {{- end -}}
  {{- if .topologySpreadConstraints }}
    {{- $spread := list }}
    {{- range .topologySpreadConstraints }}
      {{- $selector := dict "labelSelector" (dict "matchLabels" (dict "serving.knative.dev/service" $service.metadata.name)) }}
      {{- $spread = append $spread (merge (dict) . $selector) }}
    {{- end }}
    {{- $_ := set $spec "topologySpreadConstraints" $spread }}
  {{- end -}}
{{- end -}}
{{- $names := list }}{{ range $container.env }}{{ $names = append $names .name }}{{ end -}}
{{- if and (eq $values.environment "development") (has "TODO_JWT_ISSUER" $names) }}
  {{- /* It verifies people's tokens. */}}
  {{- include "todo.developmentKey" (dict "root" .root "spec" $spec "container" $container) }}
{{- end -}}
{{- end -}}

{{/* The development key, in a data folder that can be written: {"root", "spec" (of the pod), "container"}. */}}
{{- define "todo.developmentKey" -}}
{{- $_ := set .container "env" (append .container.env (dict "name" "TODO_DATA" "value" "/data")) -}}
{{- $data := dict "name" "data" "mountPath" "/data" -}}
{{- $key := dict "name" "development-key" "mountPath" "/data/development-key.pem" "subPath" "development-key.pem" "readOnly" true -}}
{{- $_ := set .container "volumeMounts" (list $data $key) -}}
{{- $secret := dict "name" "development-key" "secret" (dict "secretName" .root.Values.developmentKeySecret) -}}
{{- $_ := set .spec "volumes" (list (dict "name" "data" "emptyDir" dict) $secret) -}}
{{- end -}}
