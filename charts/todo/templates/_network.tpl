{{/* A rule of a policy is known by its port: that of the database, of Kafka, of the inner gateway, of the name servers. */}}
{{- define "todo.policy" -}}
{{- $values := .root.Values -}}
{{- range $rule := .document.spec.egress -}}
  {{- $port := int (get (first (get $rule "ports" | default (list dict))) "port" | default 0) -}}
  {{- if eq $port 5432 }}
    {{- with $values.database.peers }}{{ $_ := set $rule "to" . }}{{ end }}
    {{- $_ := set $rule "ports" (list (dict "port" $values.database.port)) }}
  {{- else if eq $port 9092 }}
    {{- with $values.kafka.peers }}{{ $_ := set $rule "to" . }}{{ end }}
    {{- $ports := list }}{{ range $values.kafka.brokers }}{{ $ports = append $ports (splitList ":" . | last | int) }}{{ end }}
    {{- $unique := list }}{{ range uniq $ports }}{{ $unique = append $unique (dict "port" .) }}{{ end }}
    {{- $_ := set $rule "ports" $unique }}
  {{- else if eq $port 8081 }}
    {{- $_ := set $rule "ports" (list (dict "port" $values.network.gateway.port)) }}
  {{- else if eq $port 53 }}
    {{- range $values.network.nameServers }}{{ $_ := set $rule "to" (append $rule.to (dict "ipBlock" (dict "cidr" .))) }}{{ end }}
  {{- end -}}
  {{- range $rule.to }}{{ include "todo.peer" (dict "values" $values "peer" .) }}{{ end -}}
{{- end -}}
{{- range $rule := .document.spec.ingress -}}
  {{- range $rule.from }}{{ include "todo.peer" (dict "values" $values "peer" .) }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* The namespaces of the gateway and of Prometheus have the names that values give them. */}}
{{- define "todo.peer" -}}
{{- with (get .peer "namespaceSelector" | default dict).matchLabels -}}
  {{- $name := get . "kubernetes.io/metadata.name" -}}
  {{- if eq $name "kourier-system" }}{{ $_ := set . "kubernetes.io/metadata.name" $.values.network.gateway.namespace }}{{ end -}}
  {{- if eq $name "monitoring" }}{{ $_ := set . "kubernetes.io/metadata.name" $.values.network.monitoringNamespace }}{{ end -}}
{{- end -}}
{{- end -}}
