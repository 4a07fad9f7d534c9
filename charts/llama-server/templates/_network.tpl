{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* The ports that a download goes to, 443 always: a list in JSON. Proxies count, for then it goes to them. */ -}}
{{- define "llama-server.downloadPorts" -}}
{{- $ports := list 443 -}}
{{- $urls := list -}}
{{- range .Values.model.download.files }}{{ $urls = append $urls .url }}{{ end -}}
{{- range $name, $value := .Values.model.download.env -}}
{{- if has (lower $name) (list "http_proxy" "https_proxy" "all_proxy") }}{{ $urls = append $urls (toString $value) }}{{ end -}}
{{- end -}}
{{- range $urls -}}
{{- $own := regexFind ":[0-9]+$" (urlParse .).host | trimPrefix ":" -}}
{{- $ports = append $ports (default (hasPrefix "http:" . | ternary 80 443) $own | int) -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}

{{- define "llama-server.egress" -}}
{{- $download := eq .Values.model.source "download" -}}
{{- if or $download .Values.multiNode.enabled }}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end }}
{{- if $download }}
- ports:
    {{- range include "llama-server.downloadPorts" . | fromJsonArray }}
    - {port: {{ int . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- if .Values.multiNode.enabled }}
- to:
    - podSelector:
        matchLabels:
          {{- include "llama-server.selector" (dict "root" . "component" "worker") | nindent 10 }}
  ports:
    - {port: {{ int .Values.multiNode.port }}, protocol: TCP}
{{- end }}
{{- end -}}
