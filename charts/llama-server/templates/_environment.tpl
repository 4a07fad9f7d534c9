{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* Called with a dictionary of names and values. */ -}}
{{- define "llama-server.environment" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ toString $value | quote }}
{{- end }}
{{- end -}}

{{- /* The only directory that can be written to is /tmp. */ -}}
{{- define "llama-server.homes" -}}
HOME: /tmp
LLAMA_CACHE: /tmp
{{- end -}}
