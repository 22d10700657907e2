"""The CustomResourceDefinition of ForecastPolicy, made from the models; applying it is not done here."""

from agent.policy.crd.resource import custom_resource_definition, custom_resource_definition_yaml

__all__ = ["custom_resource_definition", "custom_resource_definition_yaml"]
