{{- /* What the agent may do where its policies and their targets are. No wildcard, and no Secret: those it needs are mounted. */ -}}
{{- define "foretide.rules" -}}
# get, list, watch: the policies themselves
{{- if .Values.rbac.inlinePolicies }}
# create, patch, delete: policies of ScaledObjects that hold query and capacity inline; edits and deletion follow
{{- end }}
- apiGroups: [foretide.dev]
  resources: [forecastpolicies]
  verbs: [get, list, watch{{ if .Values.rbac.inlinePolicies }}, create, patch, delete{{ end }}]
# patch: conditions, recommendation and what else `kubectl get fcp` shows; never the spec
- apiGroups: [foretide.dev]
  resources: [forecastpolicies/status]
  verbs: [patch]
# get, list, watch: which triggers name us, their bounds and polling; never written
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [get, list, watch]
# get, list, watch: replicas observed, and another HPA on the same target
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch]
# get, list, watch: a VPA on the same target and resource
- apiGroups: [autoscaling.k8s.io]
  resources: [verticalpodautoscalers]
  verbs: [get, list, watch]
# get, list, watch: replicas and rollouts of scale targets
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, watch]
# get: replicas of a bare ReplicaSet; /scale can not be watched, and is never written
- apiGroups: [apps]
  resources: [replicasets/scale]
  verbs: [get]
# list: created to Ready of the targets' pods, which is the lead time; by the targets' own selectors
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
# list: a quota or a limit range that can not hold the need; in the namespaces of policies, every half minute
- apiGroups: [""]
  resources: [resourcequotas, limitranges]
  verbs: [list]
# list: a disruption budget that lets no pod of a target be evicted, so that its node can not be drained
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list]
# create: say in a policy's Events what changed
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- range .Values.rbac.targetKinds }}
# get: replicas of scale targets of this kind, named in rbac.targetKinds, as the HPA sees them
- apiGroups: [{{ .apiGroup }}]
  resources: [{{ .resource }}/scale]
  verbs: [get]
{{- end }}
{{- end -}}
