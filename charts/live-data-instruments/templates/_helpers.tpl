{{/* The spec of one entry: `defaults` under the entry's own, field by field, but for choices: an own volume, image
     or source of the script takes the place of the default one instead of standing beside it.
     Call with (dict "defaults" <map> "own" <map>); gives JSON. */}}
{{- define "live-data-instruments.spec" -}}
{{- $defaults := deepCopy .defaults }}
{{- $own := deepCopy .own }}
{{- range $kind := list "output" "archive" "instruments" }}
{{- if hasKey ($own.storage | default dict) $kind }}
{{- range $member, $_ := (get ($defaults.storage | default dict) $kind) | default dict }}
{{- if not (hasKey (get $own.storage $kind) $member) }}
{{- $_ := unset (get $defaults.storage $kind) $member }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (hasKey ($own.image | default dict) "tag") $defaults.image }}
{{- $_ := unset $defaults.image "digest" }}
{{- end }}
{{- if and (hasKey ($own.script | default dict) "source") $defaults.script }}
{{- $_ := unset $defaults.script "configMap" }}
{{- $_ := unset $defaults.script "inline" }}
{{- end }}
{{- mergeOverwrite $defaults $own | toJson }}
{{- end }}
