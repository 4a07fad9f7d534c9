{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* resources of a container: those of the values and its GPUs. Called with a dictionary of resources, gpu, and claim where it has one. */ -}}
{{- define "llama-server.resources" -}}
{{- $requests := deepCopy (.resources.requests | default dict) -}}
{{- $limits := deepCopy (.resources.limits | default dict) -}}
{{- if and .gpu.resourceName (not .claim) (gt (int .gpu.count) 0) -}}
{{- $_ := set $requests .gpu.resourceName (toString (int .gpu.count)) -}}
{{- $_ := set $limits .gpu.resourceName (toString (int .gpu.count)) -}}
{{- end -}}
{{- $all := dict "requests" $requests "limits" $limits -}}
{{- if .claim }}{{ $_ := set $all "claims" (list (dict "name" "gpu")) }}{{ end -}}
{{- toYaml $all -}}
{{- end -}}

{{- /* A claim's template can't be changed, so another one has another name. */ -}}
{{- define "llama-server.claimTemplateName" -}}
{{- printf "%s-gpu-%s" (include "llama-server.fullname" .) (include "llama-server.claimTemplateSpec" . | sha256sum | trunc 8) -}}
{{- end -}}

{{- define "llama-server.claimTemplateSpec" -}}
spec:
  devices:
    requests:
      - name: gpu
        exactly:
          deviceClassName: {{ .Values.gpu.claim.deviceClassName }}
          allocationMode: ExactCount
          count: {{ int .Values.gpu.count }}
          {{- with .Values.gpu.claim.selectors }}
          selectors:
            {{- range . }}
            - cel:
                expression: {{ . | quote }}
            {{- end }}
          {{- end }}
{{- end -}}
