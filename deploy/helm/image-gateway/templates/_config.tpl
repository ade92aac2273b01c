{{/* One value as TOML. Helm reads every number as a float; TOML's whole numbers are their own type. */}}
{{- define "image-gateway.value" -}}
{{- if kindIs "string" . -}}{{ toJson . }}
{{- else if kindIs "bool" . -}}{{ . }}
{{- else if eq (float64 .) (floor .) -}}{{ int64 . }}
{{- else -}}{{ . }}
{{- end -}}
{{- end -}}

{{/* The TOML file: the values' `config`, and what the chart decides. */}}
{{- define "image-gateway.config" -}}
{{- $own := dict "listen" (printf "0.0.0.0:%d" (int .Values.ports.grpc)) "ops" (dict "listen" (printf "0.0.0.0:%d" (int .Values.ports.ops))) -}}
{{- if .Values.tls.secret -}}
{{- $tls := dict "tls_certificate" "/run/tls/tls.crt" "tls_key" "/run/tls/tls.key" -}}
{{- if .Values.tls.clientCaKey -}}
{{- $tls = merge $tls (dict "tls_client_ca" (printf "/run/tls/%s" .Values.tls.clientCaKey) "tls_client_auth" "require") -}}
{{- end -}}
{{- $_ := set $own "rpc" $tls -}}
{{- end -}}
{{- $all := mergeOverwrite (deepCopy .Values.config) $own -}}
{{- range $name, $value := $all -}}
{{- if not (kindIs "map" $value) }}
{{ $name }} = {{ include "image-gateway.value" $value }}
{{- end -}}
{{- end -}}
{{- range $room, $values := $all -}}
{{- if kindIs "map" $values }}

[{{ $room }}]
{{- range $name, $value := $values }}
{{ $name }} = {{ include "image-gateway.value" $value }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
