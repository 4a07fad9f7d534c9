{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* The volume with the model. A StatefulSet's own claims bring theirs. */ -}}
{{- define "llama-server.modelVolume" -}}
{{- $model := .Values.model -}}
{{- if eq $model.source "image" }}
- name: model
  image:
    reference: {{ $model.image.reference }}
    pullPolicy: {{ $model.image.pullPolicy }}
{{- else if eq $model.source "hostPath" }}
- name: model
  hostPath:
    path: {{ $model.hostPath.path | quote }}
    type: Directory
{{- else if not (include "llama-server.ownClaims" .) }}
- name: model
  persistentVolumeClaim:
    claimName: {{ include "llama-server.claimName" . }}
{{- end }}
{{- end -}}

{{- /* "true" where each replica has a claim of its own. */ -}}
{{- define "llama-server.ownClaims" -}}
{{- if and (eq .Values.workload.kind "StatefulSet") (eq .Values.model.source "download") (not .Values.model.claim.existing) (not (include "llama-server.group" .)) }}true{{ end -}}
{{- end -}}

{{- define "llama-server.claimSpec" -}}
accessModes:
  {{- toYaml .Values.model.claim.accessModes | nindent 2 }}
{{- if not (kindIs "invalid" .Values.model.claim.storageClassName) }}
storageClassName: {{ .Values.model.claim.storageClassName | quote }}
{{- end }}
resources:
  requests:
    storage: {{ .Values.model.claim.size }}
{{- end -}}

{{- define "llama-server.modelMount" -}}
- name: model
  mountPath: /models
  {{- with .Values.model.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
{{- end -}}
