{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* What Pod Security's restricted level asks for, with the values over it; null takes a key away. */ -}}
{{- define "llama-server.podSecurityContext" -}}
{{- $own := dict "runAsNonRoot" true "runAsUser" 65534 "runAsGroup" 65534 "fsGroup" 65534 "fsGroupChangePolicy" "OnRootMismatch" -}}
{{- $_ := set $own "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- with .Values.gpu.supplementalGroups }}{{ $_ := set $own "supplementalGroups" . }}{{ end -}}
{{- include "llama-server.over" (dict "own" $own "given" .Values.podSecurityContext) -}}
{{- end -}}

{{- define "llama-server.securityContext" -}}
{{- $own := dict "allowPrivilegeEscalation" false "capabilities" (dict "drop" (list "ALL")) "readOnlyRootFilesystem" true -}}
{{- include "llama-server.over" (dict "own" $own "given" .Values.securityContext) -}}
{{- end -}}

{{- define "llama-server.over" -}}
{{- $merged := mergeOverwrite .own (deepCopy .given) -}}
{{- range $key, $value := .given }}{{ if kindIs "invalid" $value }}{{ $_ := unset $merged $key }}{{ end }}{{ end -}}
{{- toYaml $merged -}}
{{- end -}}
