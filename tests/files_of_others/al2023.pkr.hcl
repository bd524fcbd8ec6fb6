packer {
  required_plugins {
    amazon = { version = ">= 1.2.8", source = "github.com/hashicorp/amazon" }
  }
}

variable "region" {
  type    = string
  default = "eu-west-1"
}

variable "size" {
  type    = number
  default = 12
}

variable "kms_key" {
  type    = string
  default = null
}

variable "api_token" {
  type      = string
  sensitive = true
}

locals {
  stamp = regex_replace(timestamp(), "[- TZ:]", "")
  tags  = merge({ team = "shop" }, { service = lower("WEB") })
}

data "amazon-ami" "al2023" {
  filters = {
    name             = "al2023-ami-2023.*-x86_64"
    root-device-type = "ebs"
  }
  owners      = ["137112412989"]
  most_recent = true
}

source "amazon-ebs" "web" {
  ami_name      = "shop-web-${local.stamp}"
  instance_type = "m7i.large"
  region        = var.region
  source_ami    = data.amazon-ami.al2023.id
  ssh_username  = "ec2-user"
  kms_key_id    = var.kms_key
  tags          = local.tags

  launch_block_device_mappings {
    device_name = "/dev/xvda"
    volume_size = var.size + 4
    volume_type = "gp3"
    iops        = 4000
    throughput  = 250
    encrypted   = true
  }
}

build {
  sources = ["source.amazon-ebs.web"]

  provisioner "shell" {
    env = { WORKERS = "4" }
    inline = [
      "dnf -y install nginx",
      "echo ${source.name} \"$WORKERS\" > /etc/shop-workers",
    ]
  }

  provisioner "file" {
    content     = "listen 80;\n"
    destination = "/etc/shop.conf"
  }

  provisioner "shell" {
    inline_shebang = "/bin/bash -eu"
    inline = [<<-EOF
      cat >/etc/shop-region <<X
      ${upper(var.region)}
      X
    EOF
    ]
  }

  post-processor "manifest" {
    output = "manifest.json"
  }
}
