{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* "true" where there can be more than one server at once. */ -}}
{{- define "llama-server.several" -}}
{{- if .Values.keda.enabled -}}
{{- if gt (int .Values.keda.maxReplicas) 1 }}true{{ end -}}
{{- else if gt (int .Values.workload.replicas) 1 }}true{{ end -}}
{{- end -}}
