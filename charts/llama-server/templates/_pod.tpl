{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* spec of the server's pod. */ -}}
{{- define "llama-server.pod" -}}
{{- $server := .Values.server -}}
{{- $claim := .Values.gpu.claim.deviceClassName -}}
serviceAccountName: {{ include "llama-server.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ int .Values.workload.terminationGracePeriodSeconds }}
{{- include "llama-server.podPlace" (dict "root" . "nodeSelector" .Values.nodeSelector "affinity" .Values.affinity) }}
{{- with .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "llama-server.podSecurityContext" . | nindent 2 }}
{{- if $claim }}
resourceClaims:
  - name: gpu
    resourceClaimTemplateName: {{ include "llama-server.claimTemplateName" . }}
{{- end }}
{{- $download := eq .Values.model.source "download" }}
{{- if or $download .Values.multiNode.enabled }}
initContainers:
  {{- if $download }}
  {{- include "llama-server.download" . | nindent 2 }}
  {{- end }}
  {{- if .Values.multiNode.enabled }}
  {{- include "llama-server.waitForWorkers" . | nindent 2 }}
  {{- end }}
{{- end }}
containers:
  - name: server
    image: {{ include "llama-server.serverImage" . }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    {{- with $server.command }}
    command:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    args:
      {{- include "llama-server.args" . | trim | nindent 6 }}
    env:
      {{- include "llama-server.environment" (merge (include "llama-server.homes" . | fromYaml) $server.env) | trim | nindent 6 }}
    ports:
      - name: http
        containerPort: {{ int $server.port }}
    startupProbe:
      {{- include "llama-server.probe" (dict "root" . "times" .Values.probes.startup) | trim | nindent 6 }}
    readinessProbe:
      {{- include "llama-server.probe" (dict "root" . "times" .Values.probes.readiness) | trim | nindent 6 }}
    livenessProbe:
      {{- include "llama-server.probe" (dict "root" . "times" .Values.probes.liveness) | trim | nindent 6 }}
    {{- if include "llama-server.reachable" . }}
    # Until every proxy has taken it from its list.
    lifecycle:
      preStop:
        exec:
          command: [sleep, "5"]
    {{- end }}
    resources:
      {{- include "llama-server.resources" (dict "resources" .Values.resources "gpu" .Values.gpu "claim" $claim) | nindent 6 }}
    securityContext:
      {{- include "llama-server.securityContext" . | nindent 6 }}
    volumeMounts:
      {{- include "llama-server.modelMount" . | nindent 6 }}
        readOnly: true
      - name: tmp
        mountPath: /tmp
      {{- if $server.apiKey.secretName }}
      - name: api-keys
        mountPath: /run/secrets/llama-server
        readOnly: true
      {{- end }}
      {{- if $server.tls.secretName }}
      - name: tls
        mountPath: /run/secrets/llama-server-tls
        readOnly: true
      {{- end }}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 2Gi
  {{- include "llama-server.modelVolume" . | nindent 2 }}
  {{- if $download }}
  {{- include "llama-server.downloadVolumes" . | nindent 2 }}
  {{- end }}
  {{- if $server.apiKey.secretName }}
  - name: api-keys
    secret:
      secretName: {{ $server.apiKey.secretName }}
      # The default; podman kube play needs it said.
      optional: false
      defaultMode: 288
      items:
        - key: {{ $server.apiKey.secretKey }}
          path: api-keys
  {{- end }}
  {{- if $server.tls.secretName }}
  - name: tls
    secret:
      secretName: {{ $server.tls.secretName }}
      optional: false
      defaultMode: 288
  {{- end }}
{{- end -}}

{{- /* Where pods may run. Called with a dictionary of root, nodeSelector and affinity. */ -}}
{{- define "llama-server.podPlace" -}}
{{- $values := .root.Values -}}
{{- with $values.workload.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.gpu.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
