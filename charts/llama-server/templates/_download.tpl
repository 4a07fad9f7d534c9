{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* The init container that downloads the model. */ -}}
{{- define "llama-server.download" -}}
{{- $download := .Values.model.download -}}
{{- $own := dict "HOME" "/tmp" "MODELS" "/models" "LIST" "/etc/download/files" "ALLOW_UNVERIFIED" ($download.allowUnverified | ternary "yes" "no") -}}
{{- if $download.tokenSecret.name -}}
{{- $_ := set $own "TOKEN_FILE" "/run/secrets/hub/token" -}}
{{- $_ := set $own "TOKEN_HOST" $download.tokenSecret.host -}}
{{- end -}}
{{- if $download.caConfigMap.name }}{{ $_ := set $own "CURL_CA_BUNDLE" "/etc/download-ca/ca.crt" }}{{ end -}}
- name: download
  image: {{ default (include "llama-server.imageReference" .Values.image) $download.image }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [/bin/sh, /etc/download/download.sh]
  env:
    {{- include "llama-server.environment" (merge $own $download.env) | nindent 4 }}
  resources:
    requests: {cpu: 100m, memory: 64Mi}
    limits: {memory: 512Mi}
  securityContext:
    {{- include "llama-server.securityContext" . | nindent 4 }}
  volumeMounts:
    {{- include "llama-server.modelMount" . | nindent 4 }}
    - name: download
      mountPath: /etc/download
      readOnly: true
    - name: tmp
      mountPath: /tmp
    {{- if $download.tokenSecret.name }}
    - name: hub-token
      mountPath: /run/secrets/hub
      readOnly: true
    {{- end }}
    {{- if $download.caConfigMap.name }}
    - name: download-ca
      mountPath: /etc/download-ca
      readOnly: true
    {{- end }}
{{- end -}}

{{- define "llama-server.downloadVolumes" -}}
{{- $download := .Values.model.download -}}
- name: download
  configMap:
    name: {{ include "llama-server.fullname" . }}-download
{{- if $download.tokenSecret.name }}
- name: hub-token
  secret:
    secretName: {{ $download.tokenSecret.name }}
    optional: false
    defaultMode: 288
    items:
      - key: {{ $download.tokenSecret.key }}
        path: token
{{- end }}
{{- if $download.caConfigMap.name }}
- name: download-ca
  configMap:
    name: {{ $download.caConfigMap.name }}
    items:
      - key: {{ $download.caConfigMap.key }}
        path: ca.crt
{{- end }}
{{- end -}}

{{- /* The script, and a line for each file: name, URL, size and SHA-256, apart by tabs, - where it isn't known. */ -}}
{{- define "llama-server.downloadData" -}}
download.sh: |
  {{- .Files.Get "files/download.sh" | nindent 2 }}
files: |
  {{- range .Values.model.download.files }}
  {{ .name }}{{ "\t" }}{{ .url }}{{ "\t" }}{{ if kindIs "invalid" .sizeBytes }}-{{ else }}{{ int64 .sizeBytes }}{{ end }}{{ "\t" }}{{ .sha256 | default "-" }}
  {{- end }}
{{- end -}}
