#!/usr/bin/python3
"""Terraform against the gateway: apply, empty plan, change, empty plan, destroy. Needs terraform and
its AWS provider on this machine; nothing is downloaded. The provider waits 30 s by itself before it
first looks at what it has made or changed, so this takes a while without doing much."""

import glob
import os
import shutil
import subprocess
import sys

import installation
from installation import expect

SETUP = """
terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
variable "replicas" { default = 2 }
variable "policy" { default = "allkeys-lru" }
variable "access" { default = "on ~shop:* +@all" }
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "emucache"
  secret_key                  = "emucache"
  skip_metadata_api_check     = true
  skip_region_validation      = true
  endpoints {
    elasticache = "ENDPOINT"
    ec2         = "ENDPOINT"
    sts         = "ENDPOINT"
  }
  default_tags { tags = { stack = "test" } }
}
data "aws_availability_zones" "all" { state = "available" }
resource "aws_vpc" "shop" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "shop" }
}
resource "aws_subnet" "shop" {
  count             = 2
  vpc_id            = aws_vpc.shop.id
  cidr_block        = "10.0.${count.index}.0/24"
  availability_zone = data.aws_availability_zones.all.names[count.index]
}
resource "aws_security_group" "cache" {
  name        = "cache"
  description = "cache"
  vpc_id      = aws_vpc.shop.id
}
resource "aws_security_group" "pages" {
  name        = "pages"
  description = "pages"
  vpc_id      = aws_vpc.shop.id
  ingress {
    from_port   = 11211
    to_port     = 11211
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/24"]
  }
}
resource "aws_vpc_security_group_ingress_rule" "redis" {
  security_group_id = aws_security_group.cache.id
  ip_protocol       = "tcp"
  from_port         = 6379
  to_port           = 6379
  cidr_ipv4         = "10.0.1.0/24"
}
resource "aws_elasticache_subnet_group" "shop" {
  name       = "Shop"
  subnet_ids = aws_subnet.shop[*].id
}
resource "aws_elasticache_parameter_group" "redis" {
  name   = "shop-redis"
  family = "redis7"
  parameter {
    name  = "maxmemory-policy"
    value = var.policy
  }
}
resource "aws_elasticache_cluster" "pages" {
  cluster_id           = "pages"
  engine               = "memcached"
  node_type            = "cache.t3.micro"
  num_cache_nodes      = 2
  az_mode              = "cross-az"
  parameter_group_name = "default.memcached1.6"
  subnet_group_name    = aws_elasticache_subnet_group.shop.name
  security_group_ids   = [aws_security_group.pages.id]
}
resource "aws_elasticache_cluster" "orders" {
  cluster_id           = "orders"
  engine               = "redis"
  engine_version       = "7.1"
  node_type            = "cache.t3.micro"
  num_cache_nodes      = 1
  parameter_group_name = aws_elasticache_parameter_group.redis.name
  maintenance_window   = "Sun:08:00-Sun:09:00"
}
resource "aws_elasticache_user" "nobody" {
  user_id              = "nobody"
  user_name            = "default"
  engine               = "redis"
  access_string        = "off -@all"
  no_password_required = true
}
resource "aws_elasticache_user" "shop" {
  user_id       = "shop"
  user_name     = "shop"
  engine        = "redis"
  access_string = var.access
  passwords     = ["a-password-of-24-letters"]
}
resource "aws_elasticache_user_group" "shop" {
  user_group_id = "shop"
  engine        = "redis"
  user_ids      = [aws_elasticache_user.nobody.user_id, aws_elasticache_user.shop.user_id]
}
resource "aws_elasticache_replication_group" "carts" {
  replication_group_id       = "carts"
  description                = "carts"
  node_type                  = "cache.t3.micro"
  num_cache_clusters         = var.replicas
  automatic_failover_enabled = true
  transit_encryption_enabled = true
  user_group_ids             = [aws_elasticache_user_group.shop.user_group_id]
  subnet_group_name          = aws_elasticache_subnet_group.shop.name
  security_group_ids         = [aws_security_group.cache.id]
}
"""


def find_mirror():
    """A directory of providers as terraform wants one, with AWS's in it."""
    places = [os.environ.get("EC_TERRAFORM_MIRROR", ""), "/opt/tf-plugins",
              os.path.expanduser("~/.terraform.d/plugins"), "/usr/share/terraform/plugins",
              "/usr/local/share/terraform/plugins"]
    for place in places:
        if place and glob.glob(place + "/*/hashicorp/aws/*"):
            return place
    return None


TERRAFORM = shutil.which("terraform")
MIRROR = find_mirror()


class Stack:
    def __init__(self, it):
        self.dir = it.dir + "/stack"
        os.mkdir(self.dir)
        with open(self.dir + "/rc", "w") as rc:
            rc.write('provider_installation {\n  filesystem_mirror { path = "%s" }\n}\n' % MIRROR)
        with open(self.dir + "/main.tf", "w") as main:
            main.write(SETUP.replace("ENDPOINT", it.endpoint))
        self.environment = {**it.environment, "TF_CLI_CONFIG_FILE": self.dir + "/rc",
                            "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}

    def __call__(self, command, *words, good=(0,)):
        done = subprocess.run([TERRAFORM, f"-chdir={self.dir}", command, *words],
                              env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=400)
        if done.returncode not in good:
            raise AssertionError(f"terraform {command} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def expect_no_changes(self, *words):
        output = self("plan", "-detailed-exitcode", *words, good=(0, 2))
        expect("No changes" in output, output)


def a_stack_is_made_changed_and_destroyed(it):
    terraform = Stack(it)
    terraform("init")
    terraform("apply", "-auto-approve")
    terraform.expect_no_changes()
    change = ("-var", "replicas=3", "-var", "policy=allkeys-lfu", "-var",
              "access=on ~shop:* +@read")
    terraform("apply", "-auto-approve", *change)
    terraform.expect_no_changes(*change)
    terraform("state", "rm", "aws_elasticache_parameter_group.redis")
    terraform("import", *change, "aws_elasticache_parameter_group.redis", "shop-redis")
    terraform("state", "rm", "aws_elasticache_cluster.orders")
    terraform("import", *change, "aws_elasticache_cluster.orders", "orders")
    terraform("state", "rm", "aws_elasticache_user_group.shop")
    terraform("import", *change, "aws_elasticache_user_group.shop", "shop")
    terraform.expect_no_changes(*change)
    terraform("destroy", "-auto-approve", *change)


if __name__ == "__main__":
    if not TERRAFORM or not MIRROR:
        print("skipped: terraform not found")
        sys.exit(0)
    installation.main(a_stack_is_made_changed_and_destroyed)
