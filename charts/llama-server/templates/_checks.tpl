{{- /*
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- /* What values.schema.json can't say. Every object asks first, so that these are the messages that people see. */ -}}
{{- define "llama-server.checks" -}}
{{- include "llama-server.checkPlan" . -}}
{{- include "llama-server.checkReach" . -}}
{{- include "llama-server.checkArgs" . -}}
{{- include "llama-server.checkModel" . -}}
{{- include "llama-server.checkReplicas" . -}}
{{- include "llama-server.checkKubernetes" . -}}
{{- include "llama-server.checkMultiNode" . -}}
{{- end -}}

{{- /* Called with a dictionary of where, what, got, expected and fix, the last three as far as there are any. */ -}}
{{- define "llama-server.refuse" -}}
{{- $message := printf "%s: %s" .where .what -}}
{{- if hasKey . "got" }}{{ $message = printf "%s. Got: %v" $message .got }}{{ end -}}
{{- with .expected }}{{ $message = printf "%s. Expected: %s" $message . }}{{ end -}}
{{- fail (printf "%s. %s." $message .fix) -}}
{{- end -}}

{{- define "llama-server.checkPlan" -}}
{{- $plan := .Values.plan -}}
{{- $known := 1 -}}
{{- $make := "Make the values with the filter of the collection, plan | prositronic.infra.helm_values, and give them with --values" -}}
{{- if not $plan -}}
{{- include "llama-server.refuse" (dict "where" "plan" "what" "there is no plan in the values, so there is nothing to run" "fix" $make) -}}
{{- end -}}
{{- $version := int $plan.schemaVersion -}}
{{- if ne $version $known -}}
{{- $fix := gt $version $known | ternary "Take a newer chart" "Make the values again, with the collection that this chart is from" -}}
{{- include "llama-server.refuse" (dict "where" "plan.schemaVersion" "what" "this chart doesn't know these values" "got" $version "expected" (toString $known) "fix" $fix) -}}
{{- end -}}
{{- $digest := printf "sha256:%s" (sha256sum $plan.document) -}}
{{- if ne $digest $plan.digest -}}
{{- include "llama-server.refuse" (dict "where" "plan.digest" "what" "this isn't the digest of plan.document, so one of them was changed" "got" $plan.digest "expected" $digest "fix" $make) -}}
{{- end -}}
{{- end -}}

{{- define "llama-server.checkReach" -}}
{{- $key := .Values.server.apiKey.secretName -}}
{{- $host := include "llama-server.host" . -}}
{{- if and (not $key) (has $host (list "0.0.0.0" "::")) -}}
{{- include "llama-server.refuse" (dict "where" "server.host" "what" "other pods reach this address, and there is no API key" "got" $host "expected" "127.0.0.1 or ::1, or a key" "fix" "Name a Secret with keys in server.apiKey.secretName, or leave server.host out and use kubectl port-forward") -}}
{{- end -}}
{{- if not (include "llama-server.reachable" .) -}}
{{- $why := empty $key | ternary "needs a server with an API key, for it lets others reach it" (printf "needs a server that other pods reach, and it listens on %s" $host) -}}
{{- $fix := empty $key | ternary "Name a Secret with keys in server.apiKey.secretName, or use kubectl port-forward instead" "Leave server.host out" -}}
{{- range $part := list "ingress" "httpRoute" "podMonitor" "keda" -}}
{{- if (index $.Values $part).enabled -}}
{{- include "llama-server.refuse" (dict "where" (printf "%s.enabled" $part) "what" $why "fix" $fix) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "llama-server.checkArgs" -}}
{{- $said := dict "--api-key" "server.apiKey.secretName" "--api-key-file" "server.apiKey.secretName" "--host" "server.host" "--port" "server.port" "--model" "model.file" "-m" "model.file" "--alias" "server.alias" "-a" "server.alias" "--ssl-cert-file" "server.tls.secretName" "--ssl-key-file" "server.tls.secretName" "--ui" "server.ui" "--no-ui" "server.ui" "--webui" "server.ui" "--no-webui" "server.ui" "--metrics" "server.metrics" "--log-verbosity" "server.logVerbosity" "--verbosity" "server.logVerbosity" "-lv" "server.logVerbosity" "--verbose" "server.logVerbosity" "-v" "server.logVerbosity" "--hf-token" "model.download.tokenSecret.name" "-hft" "model.download.tokenSecret.name" "--rpc" "multiNode" -}}
{{- range $where := list "args" "extraArgs" -}}
{{- range $index, $given := index $.Values.server $where -}}
{{- $name := toString $given | splitList "=" | first -}}
{{- if hasKey $said $name -}}
{{- include "llama-server.refuse" (dict "where" (printf "server.%s[%d]" $where $index) "what" (printf "the chart writes %s itself" $name) "fix" (printf "Say %s" (get $said $name))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $names := list "LLAMA_API_KEY" "LLAMA_ARG_API_KEY" "HF_TOKEN" "LLAMA_ARG_HF_TOKEN" "HUGGING_FACE_HUB_TOKEN" -}}
{{- range $where, $env := dict "server.env" .Values.server.env "model.download.env" .Values.model.download.env -}}
{{- range $name := keys $env -}}
{{- if has $name $names -}}
{{- include "llama-server.refuse" (dict "where" (printf "%s.%s" $where $name) "what" "a secret doesn't belong into the environment: who may read the pod reads it" "fix" (contains "API" $name | ternary "Say server.apiKey.secretName" "Say model.download.tokenSecret.name")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "llama-server.checkModel" -}}
{{- $model := .Values.model -}}
{{- if eq $model.source "download" -}}
{{- $names := list -}}
{{- range $model.download.files }}{{ $names = append $names .name }}{{ end -}}

{{- if not (has $model.file $names) -}}
{{- include "llama-server.refuse" (dict "where" "model.file" "what" "it isn't among the files to download" "got" $model.file "expected" (join ", " $names) "fix" "Add it to model.download.files, or correct its name") -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "llama-server.checkReplicas" -}}
{{- $model := .Values.model -}}
{{- $shared := and (eq $model.source "download") (not $model.claim.existing) (not (include "llama-server.ownClaims" .)) -}}
{{- if and $shared (include "llama-server.several" .) (not (has "ReadWriteMany" $model.claim.accessModes)) -}}
{{- include "llama-server.refuse" (dict "where" "model.claim.accessModes" "what" "several servers can't share a claim that one node mounts" "got" (join ", " $model.claim.accessModes) "expected" "ReadWriteMany" "fix" "Take one replica, or workload.kind StatefulSet, where each replica has a claim of its own") -}}
{{- end -}}
{{- end -}}

{{- define "llama-server.checkKubernetes" -}}
{{- $version := .Capabilities.KubeVersion.Version -}}
{{- if and (eq .Values.model.source "image") (semverCompare "<1.35.0-0" $version) -}}
{{- include "llama-server.refuse" (dict "where" "model.source" "what" "this cluster can't mount an image as a volume, and would leave it out without a word" "got" (printf "image, with Kubernetes %s" $version) "expected" "Kubernetes 1.35 or newer" "fix" "Take the source download or claim") -}}
{{- end -}}
{{- if and .Values.gpu.claim.deviceClassName (semverCompare "<1.34.0-0" $version) -}}
{{- include "llama-server.refuse" (dict "where" "gpu.claim.deviceClassName" "what" "this cluster has no Dynamic Resource Allocation of the version v1" "got" (printf "Kubernetes %s" $version) "expected" "1.34 or newer" "fix" "Leave it out and say gpu.resourceName") -}}
{{- end -}}
{{- end -}}

{{- define "llama-server.checkMultiNode" -}}
{{- $workers := .Values.multiNode -}}
{{- if $workers.enabled -}}
{{- if not $workers.acceptUnauthenticated -}}
{{- include "llama-server.refuse" (dict "where" "multiNode.acceptUnauthenticated" "what" "llama.cpp's RPC has no passwords and no encryption: whoever reaches a worker's port can run what they want in it, and whoever sees the network sees the conversations" "got" "false" "expected" "true" "fix" "Say true where the cluster enforces NetworkPolicies and its network is trusted") -}}
{{- end -}}
{{- if or .Values.keda.enabled (ne (int .Values.workload.replicas) 1) -}}
{{- include "llama-server.refuse" (dict "where" "workload.replicas" "what" "workers serve one server, so there is one" "got" (.Values.keda.enabled | ternary "a number that KEDA chooses" (int .Values.workload.replicas)) "expected" "1, without KEDA" "fix" "Make a release for each group of workers") -}}
{{- end -}}
{{- end -}}
{{- end -}}
