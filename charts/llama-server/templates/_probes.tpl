{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* Called with a dictionary of root and the times of one probe. */ -}}
{{- define "llama-server.probe" -}}
{{- if include "llama-server.reachable" .root }}
httpGet:
  path: /health
  port: http
  scheme: {{ include "llama-server.scheme" .root | upper }}
{{- else }}
exec:
  command:
    - curl
    - --fail
    - --silent
    - --show-error
    - --insecure
    - --noproxy
    - "*"
    - --output
    - /dev/null
    - --max-time
    - {{ .times.timeoutSeconds | toString | quote }}
    - {{ include "llama-server.localUrl" .root }}/health
{{- end }}
{{ toYaml .times }}
{{- end -}}

{{- /* Seconds that loading may take, with pulling the image and what a download takes at 20 MB/s. */ -}}
{{- define "llama-server.startSeconds" -}}
{{- $seconds := add 600 (mul (int .Values.probes.startup.periodSeconds) (int .Values.probes.startup.failureThreshold)) -}}
{{- if eq .Values.model.source "download" -}}
{{- range .Values.model.download.files }}{{ $seconds = add $seconds (div (int64 (.sizeBytes | default 0)) 20000000) }}{{ end -}}
{{- $seconds = add $seconds 3000 -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}
