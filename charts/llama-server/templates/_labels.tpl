{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* Of a workload's selector, which can't change: nothing of a version. Called with a dictionary of root and component. */ -}}
{{- define "llama-server.selector" -}}
app.kubernetes.io/name: {{ include "llama-server.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "llama-server.labels" -}}
{{- $own := dict "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63) -}}
{{- $_ := set $own "app.kubernetes.io/name" (include "llama-server.name" .) -}}
{{- $_ := set $own "app.kubernetes.io/instance" .Release.Name -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- merge $own .Values.commonLabels | toYaml -}}
{{- end -}}

{{- /* name, labels and annotations of an object. Called with a dictionary of root, name, and more labels and annotations where there are some. */ -}}
{{- define "llama-server.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- merge (include "llama-server.labels" .root | fromYaml) (.labels | default dict) | toYaml | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "llama-server.planAnnotations" -}}
prositronic.eu/plan-digest: {{ .Values.plan.digest | quote }}
{{- end -}}

{{- /* metadata of a pod template. Called with a dictionary of root and component. */ -}}
{{- define "llama-server.podMetadata" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
labels:
  {{- merge (include "llama-server.selector" . | fromYaml) $values.workload.podLabels $values.commonLabels | toYaml | nindent 2 }}
{{- $own := include "llama-server.planAnnotations" $root | fromYaml -}}
{{- if and (eq .component "server") (eq $values.model.source "download") -}}
{{- $_ := set $own "checksum/config" (include "llama-server.downloadData" $root | sha256sum) -}}
{{- end }}
annotations:
  {{- merge $own $values.workload.podAnnotations $values.commonAnnotations | toYaml | nindent 2 }}
{{- end -}}
