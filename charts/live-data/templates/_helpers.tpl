{{/* Names and labels that the templates share. `<release>-operator` is at most 62 characters: Helm limits releases to 53. */}}

{{- define "live-data.fullname" -}}
{{ .Release.Name }}-operator
{{- end }}

{{- define "live-data.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "live-data.fullname" .) }}
{{- else -}}
{{ required "serviceAccount.create is false: set serviceAccount.name to an existing ServiceAccount" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* What never changes for a release: selectors are immutable. */}}
{{- define "live-data.selectorLabels" -}}
app.kubernetes.io/name: live-data-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "live-data.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "live-data.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: live-data
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.extraLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels by which a monitor is found, beside the chart's own. Call with (dict "root" $ "own" <map>). */}}
{{- define "live-data.labelsWith" -}}
{{- toYaml (merge (dict) .own (include "live-data.labels" .root | fromYaml)) }}
{{- end }}

{{/* What the operator puts on the workers' pods. */}}
{{- define "live-data.workerLabels" -}}
app.kubernetes.io/name: live-data-worker
{{- end }}

{{/* The annotations of an object: `extraAnnotations`, and its own; nothing where there are none.
     Call with (dict "root" $ "own" <map>). */}}
{{- define "live-data.annotations" -}}
{{- with merge (dict) (.own | default dict) .root.Values.extraAnnotations -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* repository@digest, or repository:tag with the chart's appVersion as the tag's default.
     Call with (dict "root" $ "image" <map>). */}}
{{- define "live-data.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* WORKER_DEFAULTS: `worker`, whose image has the chart's appVersion as its tag where neither tag nor digest is given. */}}
{{- define "live-data.workerDefaults" -}}
{{- $defaults := deepCopy .Values.worker }}
{{- if not (or $defaults.image.tag $defaults.image.digest) }}
{{- $_ := set $defaults.image "tag" .Chart.AppVersion }}
{{- end }}
{{- toJson $defaults }}
{{- end }}

{{/* Pod and container settings of the restricted Pod Security Standard. */}}
{{- define "live-data.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "live-data.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
