-- The health of an Application inside of another one. Since Argo CD 3.4 its own health leaves out
-- what is missing, so that one half applied would pass for healthy: it is healthy when all that is
-- there is, when it is Synced, and when its last operation, hooks included, has succeeded.
local status = obj.status or {}
local health = (status.health or {}).status or "Missing"
local sync = (status.sync or {}).status or "Unknown"
local operation = status.operationState or {}
-- Without any operation there was none to do: what it found in the cluster was already right.
local phase = operation.phase or "Succeeded"

local function is(value, ...)
  for _, each in ipairs({...}) do
    if value == each then return true end
  end
  return false
end

if is(health, "Degraded", "Suspended") then
  return { status = health, message = (status.health or {}).message or "" }
end
if is(phase, "Failed", "Error") then
  return { status = "Degraded", message = "last sync: " .. (operation.message or phase) }
end
if is(health, "Healthy") and is(sync, "Synced") and is(phase, "Succeeded") then
  return { status = "Healthy", message = "" }
end
return { status = "Progressing", message = health .. ", " .. sync .. ", last sync " .. phase }
