{{- /* All sources by name, `default` among them, as JSON. */ -}}
{{- define "foretide.sources" -}}
{{- $default := deepCopy .Values.prometheus -}}
{{- $_ := required "prometheus.url is required: the address of your Prometheus up to, not with, /api/v1, such as --set prometheus.url=http://prometheus-operated.monitoring:9090" $default.url -}}
{{- merge (dict "default" $default) (deepCopy .Values.sources) | toJson -}}
{{- end -}}

{{- /* One source as the agent's configuration has it; where a secret stands it says the file it is mounted as. As JSON. */ -}}
{{- define "foretide.source" -}}
{{- $folder := printf "/etc/foretide/sources/%s" .name -}}
{{- $given := .source -}}
{{- $said := pick $given "url" "timeout" -}}
{{- if $given.bearerTokenSecret -}}
{{- $_ := set $said "bearerTokenFile" (printf "%s/bearer-token" $folder) -}}
{{- end -}}
{{- with $given.basicAuth -}}
{{- $_ := set $said "basicAuth" (dict "username" .username "passwordFile" (printf "%s/password" $folder)) -}}
{{- end -}}
{{- with $given.tls -}}
{{- $tls := pick . "serverName" "insecureSkipVerify" -}}
{{- if or .caSecret .caConfigMap -}}
{{- $_ := set $tls "caFile" (printf "%s/ca.crt" $folder) -}}
{{- end -}}
{{- if .certSecret -}}
{{- $_ := set $tls "certFile" (printf "%s/tls.crt" $folder) -}}
{{- $_ := set $tls "keyFile" (printf "%s/tls.key" $folder) -}}
{{- end -}}
{{- $_ := set $said "tls" $tls -}}
{{- end -}}
{{- if $given.headers -}}
{{- $headers := dict -}}
{{- range $header, $value := $given.headers -}}
{{- if $value.secret -}}
{{- $_ := set $headers $header (dict "file" (printf "%s/header-%s" $folder $header)) -}}
{{- else -}}
{{- $_ := set $headers $header (dict "text" $value.text) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $said "headers" $headers -}}
{{- end -}}
{{- merge (dict "prometheus" $said) (pick $given "namespaces" "requireMatcher") | toJson -}}
{{- end -}}

{{- /* What one source's folder is made of, as the JSON of a projected volume's sources. Whole folders are mounted, so that
a changed secret arrives. */ -}}
{{- define "foretide.projections" -}}
{{- $parts := list -}}
{{- with .bearerTokenSecret -}}
{{- $parts = append $parts (dict "secret" (dict "name" .name "items" (list (dict "key" .key "path" "bearer-token")))) -}}
{{- end -}}
{{- with .basicAuth -}}
{{- $secret := .passwordSecret -}}
{{- $parts = append $parts (dict "secret" (dict "name" $secret.name "items" (list (dict "key" $secret.key "path" "password")))) -}}
{{- end -}}
{{- with .tls -}}
{{- with .caSecret -}}
{{- $parts = append $parts (dict "secret" (dict "name" .name "items" (list (dict "key" .key "path" "ca.crt")))) -}}
{{- end -}}
{{- with .caConfigMap -}}
{{- $parts = append $parts (dict "configMap" (dict "name" .name "items" (list (dict "key" .key "path" "ca.crt")))) -}}
{{- end -}}
{{- with .certSecret -}}
{{- $items := list (dict "key" "tls.crt" "path" "tls.crt") (dict "key" "tls.key" "path" "tls.key") -}}
{{- $parts = append $parts (dict "secret" (dict "name" .name "items" $items)) -}}
{{- end -}}
{{- end -}}
{{- range $header, $value := .headers -}}
{{- with $value.secret -}}
{{- $parts = append $parts (dict "secret" (dict "name" .name "items" (list (dict "key" .key "path" (printf "header-%s" $header))))) -}}
{{- end -}}
{{- end -}}
{{- $parts | toJson -}}
{{- end -}}

{{- /* The agent's configuration. */ -}}
{{- define "foretide.configuration" -}}
{{- $sources := dict -}}
{{- range $name, $source := include "foretide.sources" . | fromJson -}}
{{- $_ := set $sources $name (include "foretide.source" (dict "name" $name "source" $source) | fromJson) -}}
{{- end -}}
{{- $grpc := dict "insecure" true -}}
{{- if include "foretide.isTls" . -}}
{{- $tls := dict "certFile" "/etc/foretide/tls/tls.crt" "keyFile" "/etc/foretide/tls/tls.key" -}}
{{- if .Values.tls.clientAuth.enabled -}}
{{- $_ := set $tls "clientCaFile" "/etc/foretide/tls/ca.crt" -}}
{{- with .Values.tls.clientAuth.allowedSans -}}
{{- /* the agents speak to each other too, and `helm test` to them */ -}}
{{- $_ := set $tls "allowedClientSans" (append . (include "foretide.grpcHost" $) | uniq) -}}
{{- end -}}
{{- end -}}
{{- $grpc = dict "tls" $tls -}}
{{- end -}}
{{- $said := dict
  "sources" $sources
  "grpcAddress" "0.0.0.0:6000"
  "grpc" $grpc
  "httpAddress" "0.0.0.0:8080"
  "dataDir" "/var/lib/foretide"
  "logLevel" .Values.logLevel
  "logFormat" "json"
  "reactiveOnly" .Values.reactiveOnly -}}
{{- mergeOverwrite $said (deepCopy .Values.config) | toYaml -}}
{{- end -}}

{{- /* The ports of the sources' addresses, as a JSON list. */ -}}
{{- define "foretide.sourcePorts" -}}
{{- $ports := list -}}
{{- range $source := include "foretide.sources" . | fromJson -}}
{{- $url := urlParse $source.url -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- $ports = append $ports (int $port) -}}
{{- end -}}
{{- $ports | uniq | sortAlpha | toJson -}}
{{- end -}}
