{{/* Where Kafka is, and who we are there. */}}
{{- define "todo.kafka" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $spec := .document.spec -}}
{{- if eq .document.kind "Broker" }}
  {{- $config := merge (dict "apiVersion" "v1" "kind" "ConfigMap") $kafka.brokerConfig }}
  {{- $_ := set $spec "config" $config }}
{{- else }}
  {{- $_ := set $spec "bootstrapServers" $kafka.brokers }}
{{- end -}}
{{- if eq .document.kind "KafkaSink" }}
  {{- $_ := set $spec "numPartitions" $kafka.partitions }}
  {{- $_ := set $spec "replicationFactor" $kafka.replicationFactor }}
  {{- if ne $kafka.security "none" }}{{ $_ := set $spec "auth" (dict "secret" (dict "ref" (dict "name" "todo-kafka"))) }}{{ end }}
{{- end -}}
{{- if and (eq .document.kind "KafkaSource") (ne $kafka.security "none") }}
  {{- $_ := set $spec "net" (include "todo.kafkaNet" .root | fromYaml) }}
{{- end -}}
{{- end -}}

{{- define "todo.kafkaNet" -}}
{{- $kafka := .Values.kafka -}}
{{- if eq $kafka.security "sasl" -}}
sasl:
  enable: true
  user: {secretKeyRef: {name: todo-kafka, key: user}}
  password: {secretKeyRef: {name: todo-kafka, key: password}}
  type: {secretKeyRef: {name: todo-kafka, key: sasl.mechanism}}
tls:
  enable: true
{{- else -}}
tls:
  enable: true
  cert: {secretKeyRef: {name: todo-kafka, key: user.crt}}
  key: {secretKeyRef: {name: todo-kafka, key: user.key}}
  caCert: {secretKeyRef: {name: todo-kafka, key: ca.crt}}
{{- end -}}
{{- end -}}

{{/* The shared sidecar's Deployment. */}}
{{- define "todo.sidecar" -}}
{{- $values := .root.Values -}}
{{- $_ := set .document.spec "replicas" $values.dapr.replicas -}}
{{- $template := .document.spec.template -}}
{{- $annotations := mergeOverwrite $template.metadata.annotations (dict "dapr.io/env" (printf "KAFKA_BROKERS=%s" (join "," $values.kafka.brokers))) $values.dapr.annotations -}}
{{- $_ := set $template.metadata "annotations" $annotations -}}
{{- range $field := list "nodeSelector" "tolerations" "priorityClassName" -}}
  {{- with get $values.pods $field }}{{ $_ := set $template.spec $field . }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "todo.tracing" -}}
{{- $tracing := .root.Values.dapr.tracing -}}
{{- if $tracing.endpoint }}
  {{- $_ := set .document.spec.tracing "samplingRate" ($tracing.samplingRate | toString) }}
  {{- $_ := set .document.spec.tracing.otel "endpointAddress" $tracing.endpoint }}
{{- else }}
  {{- $_ := set .document.spec "tracing" (dict "samplingRate" "0") }}
{{- end -}}
{{- end -}}
