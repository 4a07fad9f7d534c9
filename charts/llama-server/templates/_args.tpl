{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* llama-server's whole list of arguments. */ -}}
{{- define "llama-server.args" -}}
{{- $server := .Values.server -}}
{{- $args := list "--log-verbosity" $server.logVerbosity "--model" (printf "/models/%s" .Values.model.file) -}}
{{- with $server.alias }}{{ $args = concat $args (list "--alias" .) }}{{ end -}}
{{- $args = concat $args (list "--host" (include "llama-server.host" .) "--port" (int $server.port)) -}}
{{- if $server.apiKey.secretName }}{{ $args = concat $args (list "--api-key-file" "/run/secrets/llama-server/api-keys") }}{{ end -}}
{{- if $server.tls.secretName -}}
{{- $args = concat $args (list "--ssl-cert-file" "/run/secrets/llama-server-tls/tls.crt" "--ssl-key-file" "/run/secrets/llama-server-tls/tls.key") -}}
{{- end -}}
{{- $args = append $args ($server.ui | ternary "--ui" "--no-ui") -}}
{{- if .Values.multiNode.enabled }}{{ $args = concat $args (list "--rpc" (include "llama-server.workerAddresses" .)) }}{{ end -}}
{{- $args = concat $args $server.args -}}
{{- if include "llama-server.metrics" . }}{{ $args = append $args "--metrics" }}{{ end -}}
{{- range concat $args $server.extraArgs }}
- {{ toString . | quote }}
{{- end }}
{{- end -}}
