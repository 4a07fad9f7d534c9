{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* Who reaches the server: its address, and whether other pods can. */ -}}
{{- define "llama-server.host" -}}
{{- default (empty .Values.server.apiKey.secretName | ternary "127.0.0.1" "0.0.0.0") .Values.server.host -}}
{{- end -}}

{{- /* "true" or "". */ -}}
{{- define "llama-server.reachable" -}}
{{- if and .Values.server.apiKey.secretName (has (include "llama-server.host" .) (list "0.0.0.0" "::")) }}true{{ end -}}
{{- end -}}

{{- define "llama-server.scheme" -}}
{{- empty .Values.server.tls.secretName | ternary "http" "https" -}}
{{- end -}}

{{- /* How a program in the server's own pod reaches it. */ -}}
{{- define "llama-server.localUrl" -}}
{{- $host := hasPrefix "::" (include "llama-server.host" .) | ternary "[::1]" "127.0.0.1" -}}
{{- printf "%s://%s:%d" (include "llama-server.scheme" .) $host (int .Values.server.port) -}}
{{- end -}}

{{- define "llama-server.serviceUrl" -}}
{{- printf "%s://%s.%s.svc:%d" (include "llama-server.scheme" .) (include "llama-server.fullname" .) .Release.Namespace (int .Values.service.port) -}}
{{- end -}}

{{- define "llama-server.metrics" -}}
{{- if or .Values.server.metrics .Values.podMonitor.enabled .Values.keda.enabled }}true{{ end -}}
{{- end -}}
