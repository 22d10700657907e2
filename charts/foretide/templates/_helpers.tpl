{{- define "foretide.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* At most 52 characters, so that suffixes stay within 63. */ -}}
{{- define "foretide.fullname" -}}
{{- $name := include "foretide.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "foretide.selectorLabels" -}}
app.kubernetes.io/name: {{ include "foretide.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "foretide.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "foretide.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: foretide
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "foretide.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "foretide.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "foretide.image" -}}
{{- $image := .Values.image -}}
{{- $name := list $image.registry $image.repository | compact | join "/" -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "foretide.isTls" -}}
{{- if ne .Values.tls.source "none" }}true{{ end -}}
{{- end -}}

{{- define "foretide.tlsSecretName" -}}
{{- if eq .Values.tls.source "secret" -}}
{{- required "tls.secretName is required with tls.source secret: name a Secret that holds tls.crt and tls.key" .Values.tls.secretName -}}
{{- else -}}
{{- default (printf "%s-tls" (include "foretide.fullname" .)) .Values.tls.secretName -}}
{{- end -}}
{{- end -}}

{{- /* What KEDA calls the agent by: the host of a trigger's scalerAddress. */ -}}
{{- define "foretide.grpcHost" -}}
{{- printf "%s.%s" (include "foretide.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- /* Istio and others read the protocol from the port's name; TLS of our own must pass through unread. */ -}}
{{- define "foretide.grpcPortName" -}}
{{- if include "foretide.isTls" . }}tls-grpc-scaler{{ else }}grpc-scaler{{ end -}}
{{- end -}}

{{- /* The namespaces of namespaced mode, as JSON. */ -}}
{{- define "foretide.namespaces" -}}
{{- default (list .Release.Namespace) .Values.rbac.namespaces | uniq | toJson -}}
{{- end -}}
