{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* "true" where head and workers are one group. */ -}}
{{- define "llama-server.group" -}}
{{- $has := .Capabilities.APIVersions.Has "leaderworkerset.x-k8s.io/v1" -}}
{{- $kind := .Values.multiNode.kind -}}
{{- if and .Values.multiNode.enabled (or (eq $kind "LeaderWorkerSet") (and (eq $kind "Auto") $has)) }}true{{ end -}}
{{- end -}}

{{- define "llama-server.workerName" -}}
{{- include "llama-server.fullname" . }}-{{ include "llama-server.group" . | empty | ternary "worker" "group" }}
{{- end -}}

{{- /* The DNS names that the controllers give workers, in their order: a group's first pod is the head. */ -}}
{{- define "llama-server.workerAddresses" -}}
{{- $root := . -}}
{{- $name := include "llama-server.workerName" . -}}
{{- $found := list -}}
{{- range $number := until (int .Values.multiNode.workers) -}}
{{- $pod := include "llama-server.group" $root | empty | ternary (printf "%s-%d" $name $number) (printf "%s-0-%d" $name (add1 $number)) -}}
{{- $found = append $found (printf "%s.%s.%s.svc:%d" $pod $name $root.Release.Namespace (int $root.Values.multiNode.port)) -}}
{{- end -}}
{{- join "," $found -}}
{{- end -}}

{{- /* curl counts a connection when a worker takes one, and ends it a second later. A head that starts too early would fail, and its group with it. */ -}}
{{- define "llama-server.waitForWorkers" -}}
- name: wait-for-workers
  image: {{ include "llama-server.serverImage" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command:
    - /bin/sh
    - -c
    - |
      listens() { [ "$(curl --silent --noproxy '*' --connect-timeout 2 --max-time 1 --output /dev/null --write-out '%{num_connects}' "telnet://$1" </dev/null)" = 1 ]; }
      for worker in $(echo "$WORKERS" | tr ',' ' '); do
        until listens "$worker"; do
          echo "waiting for $worker"
          sleep 2
        done
        echo "$worker listens"
      done
  env:
    - name: WORKERS
      value: {{ include "llama-server.workerAddresses" . | quote }}
  resources:
    requests: {cpu: 10m, memory: 32Mi}
    limits: {memory: 128Mi}
  securityContext:
    {{- include "llama-server.securityContext" . | nindent 4 }}
{{- end -}}

{{- /* spec of a worker's pod. A worker serves one connection at a time, so its probes look at its socket and don't connect. */ -}}
{{- define "llama-server.workerPod" -}}
{{- $workers := .Values.multiNode -}}
serviceAccountName: {{ include "llama-server.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 10
{{- include "llama-server.podPlace" (dict "root" . "nodeSelector" $workers.nodeSelector "affinity" $workers.affinity) }}
securityContext:
  {{- include "llama-server.podSecurityContext" . | nindent 2 }}
containers:
  - name: worker
    image: {{ include "llama-server.imageReference" $workers.image }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    command:
      {{- toYaml $workers.command | nindent 6 }}
    args:
      {{- range concat (list "--host" "0.0.0.0" "--port" (int $workers.port)) $workers.args }}
      - {{ toString . | quote }}
      {{- end }}
    env:
      {{- include "llama-server.environment" (include "llama-server.homes" . | fromYaml) | trim | nindent 6 }}
    ports:
      - name: rpc
        containerPort: {{ int $workers.port }}
    readinessProbe:
      exec:
        command: [grep, --quiet, {{ printf "^ *[0-9]*: [0-9A-F]*:%04X [0-9A-F]*:0000 0A" (int $workers.port) | quote }}, /proc/net/tcp]
      periodSeconds: 5
    resources:
      {{- include "llama-server.resources" (dict "resources" $workers.resources "gpu" $workers.gpu) | nindent 6 }}
    securityContext:
      {{- include "llama-server.securityContext" . | nindent 6 }}
    volumeMounts:
      - name: tmp
        mountPath: /tmp
volumes:
  - name: tmp
    emptyDir: {}
{{- end -}}
