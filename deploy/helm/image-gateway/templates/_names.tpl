{{- define "image-gateway.name" -}}
{{- .Values.fullnameOverride | default (ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name)) | trunc 54 | trimSuffix "-" -}}
{{- end -}}

{{- define "image-gateway.selector" -}}
app.kubernetes.io/name: {{ .Values.nameOverride | default .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "image-gateway.labels" -}}
{{ include "image-gateway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "image-gateway.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "image-gateway.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "image-gateway.secret" -}}
{{- .Values.secrets.existing | default (ternary (include "image-gateway.name" .) "" (gt (len .Values.secrets.files) 0)) -}}
{{- end -}}
