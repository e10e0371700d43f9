{{/* The operator's configuration, by the names that it reads. Empty values are left out: the operator then reports the
     resource that needs one. */}}
{{- define "live-data.env" -}}
{{- $site := .Values.site }}
{{- $literals := list
  (list "LIVE_DATA_PROCESSOR_IMAGE_SHA" $site.processorImageSha)
  (list "CEPH_CREDS_SECRET_NAME" $site.ceph.secretName)
  (list "CEPH_CREDS_SECRET_NAMESPACE" $site.ceph.secretNamespace)
  (list "CLUSTER_ID" $site.ceph.clusterId)
  (list "FS_NAME" $site.ceph.fsName)
  (list "FIA_API_URL" $site.fiaApiUrl)
  (list "KAFKA_BOOTSTRAP_SERVERS" $site.kafka.bootstrapServers)
  (list "VALKEY_HOST" $site.valkey.host)
  (list "VALKEY_PORT" (ternary $site.valkey.port "" (not (empty $site.valkey.host))))
  (list "GITHUB_API_TOKEN_SECRET_KEY" (ternary $site.githubToken.secretKey "" (not (empty $site.githubToken.secretName))))
  (list "RUST_LOG" .Values.logLevel)
-}}
- name: DEV_MODE
  value: {{ $site.devMode | quote }}
- name: WORKER_NETWORK_POLICY
  value: {{ .Values.networkPolicy.workers | quote }}
{{- /* Set where empty too: left out, the operator would take its own default for it. */}}
- name: GITHUB_API_TOKEN_SECRET_NAME
  value: {{ $site.githubToken.secretName | quote }}
- name: WORKER_DEFAULTS
  value: {{ include "live-data.workerDefaults" . | quote }}
{{- range $literals }}
{{- if last . }}
- name: {{ first . }}
  value: {{ last . | toString | quote }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
