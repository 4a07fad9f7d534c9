{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- define "llama-server.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* Short enough for what is put behind it: -worker, -download, and what controllers add. */ -}}
{{- define "llama-server.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $own := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $own .Values.fullnameOverride | trunc 45 | trimSuffix "-" -}}
{{- end -}}

{{- define "llama-server.serviceAccountName" -}}
{{- default (.Values.serviceAccount.create | ternary (include "llama-server.fullname" .) "default") .Values.serviceAccount.name -}}
{{- end -}}

{{- define "llama-server.claimName" -}}
{{- default (printf "%s-model" (include "llama-server.fullname" .)) .Values.model.claim.existing -}}
{{- end -}}

{{- /* repository:tag or repository@digest. Called with an image of the values. */ -}}
{{- define "llama-server.imageReference" -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end -}}
{{- end -}}

{{- define "llama-server.serverImage" -}}
{{- include "llama-server.imageReference" (.Values.multiNode.enabled | ternary .Values.multiNode.image .Values.image) -}}
{{- end -}}
